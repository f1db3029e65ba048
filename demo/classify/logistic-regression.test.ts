import { expect, it } from 'vitest';
import { minimise } from './lbfgs';
import { lossOf, probabilities, trainHead } from './logistic-regression';

const wave = (n: number, seed: number) =>
  Float64Array.from({ length: n }, (_, i) => Math.sin(seed + 1.7 * i * (i + 1)));

it('minimises a function whose valley is curved', () => {
  const x = Float64Array.of(-1.2, 1);
  const { iterations } = minimise(
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

it('has the gradient that differences give', () => {
  const [dim, classes] = [4, 3];
  const loss = lossOf({ features: wave(6 * dim, 1), dim, targets: [0, 1, 2, 0, 1, 2], classes }, 0.3);
  const at = wave(classes * (dim + 1), 2);
  const gradient = new Float64Array(at.length);
  const unused = new Float64Array(at.length);
  loss(at, gradient);
  for (const i of at.keys()) {
    const moved = (by: number) => at.map((value, j) => (i === j ? value + by : value));
    expect(gradient[i]).toBeCloseTo((loss(moved(1e-5), unused) - loss(moved(-1e-5), unused)) / 2e-5, 8);
  }
});

it('finds the solution of two points on a line', () => {
  // Points -1 and 1, one a class: by symmetry the weights are (-w, w) and w solves sigmoid(-2w) = l2 · w.
  const l2 = 0.1;
  const { weights, bias } = trainHead({ features: Float32Array.of(-1, 1), dim: 1, targets: [0, 1], classes: 2 }, l2);
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

it('does not depend on where the features lie and how large they are', () => {
  const [rows, dim] = [12, 5];
  const targets = Array.from({ length: rows }, (_, i) => i % 3);
  const features = Float32Array.from(wave(rows * dim, 3));
  const moved = features.map((value) => 100 * value + 40);
  const head = trainHead({ features, dim, targets, classes: 3 });
  const other = trainHead({ features: moved, dim, targets, classes: 3 });
  for (let r = 0; r < rows; r++) {
    const expected = probabilities(head, features.subarray(r * dim, (r + 1) * dim));
    const found = probabilities(other, moved.subarray(r * dim, (r + 1) * dim));
    for (const [c, share] of expected.entries()) expect(found[c]).toBeCloseTo(share, 4);
  }
});

it('says how frequent classes are where features say nothing', () => {
  const head = trainHead({ features: new Float32Array(4).fill(0.5), dim: 1, targets: [0, 0, 0, 1], classes: 2 });
  expect(probabilities(head, [0.5])[0]).toBeCloseTo(0.75, 5);
});
