import { expect, it } from 'vitest';
import { turns } from '../turns';
import { minimise } from './lbfgs';
import { type Examples, type LinearHead, logitsInto, lossOf, softmax, trainHeads } from './logistic-regression';

const pause = turns(undefined);
const trainHead = async (examples: Examples, strength = 0.01) => (await trainHeads(examples, [strength], pause))[0];

function probabilities(head: LinearHead, x: number[] | Float32Array): Float64Array {
  const shares = new Float64Array(head.bias.length);
  logitsInto(shares, head, Float32Array.from(x));
  softmax(shares);
  return shares;
}

const wave = (n: number, seed: number) =>
  Float64Array.from({ length: n }, (_, i) => Math.sin(seed + 1.7 * i * (i + 1)));

it('minimises a function whose valley is curved', async () => {
  const x = Float64Array.of(-1.2, 1);
  const { iterations } = await minimise(
    ([a, b], gradient) => {
      gradient[0] = -2 * (1 - a) - 400 * a * (b - a * a);
      gradient[1] = 200 * (b - a * a);
      return (1 - a) ** 2 + 100 * (b - a * a) ** 2;
    },
    x,
    { tolerance: 1e-9 },
  );
  expect(x[0]).toBeCloseTo(1, 6);
  expect(x[1]).toBeCloseTo(1, 6);
  expect(iterations).toBeLessThan(100);
});

it('has the gradient that differences give', async () => {
  const [dim, classes] = [4, 3];
  const features = Float32Array.from(wave(6 * dim, 1));
  const loss = lossOf({ features, dim, targets: [0, 1, 2, 0, 1, 2], classes }, 0.3, pause);
  const at = wave(classes * (dim + 1), 2);
  const gradient = new Float64Array(at.length);
  const unused = new Float64Array(at.length);
  await loss(at, gradient);
  for (const i of at.keys()) {
    const moved = (by: number) => at.map((value, j) => (i === j ? value + by : value));
    const [above, below] = [await loss(moved(1e-5), unused), await loss(moved(-1e-5), unused)];
    expect(gradient[i]).toBeCloseTo((above - below) / 2e-5, 8);
  }
});

it('finds the solution of two points on a line', async () => {
  // Points -1 and 1, one a class: by symmetry the weights are (-w, w) and w solves sigmoid(-2w) = l2 · w.
  const l2 = 0.1;
  const { weights, bias } = await trainHead(
    { features: Float32Array.of(-1, 1), dim: 1, targets: [0, 1], classes: 2 },
    l2,
  );
  let [low, high] = [0, 10];
  for (let i = 0; i < 60; i++) {
    const w = (low + high) / 2;
    if (1 / (1 + Math.exp(2 * w)) > l2 * w) low = w;
    else high = w;
  }
  expect(weights[1]).toBeCloseTo(low, 5);
  expect(weights[0]).toBeCloseTo(-low, 5);
  expect(bias[0]).toBeCloseTo(0, 6);
  expect(probabilities({ weights, bias }, [1])[1]).toBeCloseTo(1 / (1 + Math.exp(-2 * low)), 5);
});

it('does not depend on where the features lie and how large they are', async () => {
  const [rows, dim] = [12, 5];
  const targets = Array.from({ length: rows }, (_, i) => i % 3);
  const features = Float32Array.from(wave(rows * dim, 3));
  const moved = features.map((value) => 100 * value + 40);
  const head = await trainHead({ features, dim, targets, classes: 3 });
  const other = await trainHead({ features: moved, dim, targets, classes: 3 });
  for (let r = 0; r < rows; r++) {
    const expected = probabilities(head, features.subarray(r * dim, (r + 1) * dim));
    const found = probabilities(other, moved.subarray(r * dim, (r + 1) * dim));
    for (const [c, share] of expected.entries()) expect(found[c]).toBeCloseTo(share, 4);
  }
});

it('says how frequent classes are where features say nothing', async () => {
  const head = await trainHead({ features: new Float32Array(4).fill(0.5), dim: 1, targets: [0, 0, 0, 1], classes: 2 });
  expect(probabilities(head, [0.5])[0]).toBeCloseTo(0.75, 5);
});

it('is the same whether it comes from a stronger penalty or from nothing', async () => {
  const [rows, dim] = [10, 4];
  const features = Float32Array.from(wave(rows * dim, 5));
  const examples = { features, dim, targets: Array.from({ length: rows }, (_, i) => i % 2), classes: 2 };
  const [, , last] = await trainHeads(examples, [0.1, 0.01, 0.001], pause);
  const alone = await trainHead(examples, 0.001);
  for (let r = 0; r < rows; r++) {
    const x = features.subarray(r * dim, (r + 1) * dim);
    expect(probabilities(last, x)[0]).toBeCloseTo(probabilities(alone, x)[0], 3);
  }
});
