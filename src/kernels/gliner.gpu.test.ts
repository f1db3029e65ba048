import { afterAll, describe, expect, it } from 'vitest';
import { openTestGpu } from '../gpu/fixtures';
import { expectClose, padded, randomMatrix, randomVector, runStep, unpadded } from './fixtures';
import { dotRows, labelFeatures, lstm, spanFeatures } from './gliner-twins';
import { lstm as lstmStep } from './lstm';
import { dotRows as dotStep, labelFeatures as labelStep, spanFeatures as spanStep } from './pair_features';
import { blank, upload, uploadWords } from './test-buffers';

const gpu = await openTestGpu();
afterAll(() => gpu.device.destroy());

/** A list of which only the length counts. */
const spans = (rows: number) => uploadWords(gpu, new Uint32Array(3 * rows));
const number = (value: number) => upload(gpu, Float32Array.of(value));

describe('lstm', () => {
  // 300: a thread has more than one number of the state.
  it.each([
    { hidden: 12, rows: 9, reverse: false },
    { hidden: 12, rows: 9, reverse: true },
    { hidden: 300, rows: 4, reverse: true },
    { hidden: 7, rows: 1, reverse: false },
  ])('$hidden numbers over $rows rows, reverse: $reverse', async ({ hidden, rows, reverse }) => {
    const columns = Math.ceil(hidden / 32) * 32;
    const gates = randomMatrix(1, rows, 4 * hidden);
    const weight = randomMatrix(2, 4 * hidden, hidden, 0.5);
    const bias = randomVector(3, 4 * hidden);
    gates[0].fill(200); // beyond what exp of an f32 can be
    const [stride, outStride] = [4 * hidden + 8, 3 * columns];
    const out = blank(gpu, rows * outStride);
    const spec = { hidden, columns, gates: stride, outStride, outColumn: columns, reverse };
    const step = lstmStep<void>(spec, {
      gates: upload(gpu, padded(gates, { stride })),
      weight: upload(gpu, padded(weight, { stride: columns })),
      bias: upload(gpu, Float32Array.from(bias)),
      spans: spans(rows),
      out,
    });
    const data = await runStep(gpu, step, out, rows * outStride);
    const found = unpadded(data, [rows, hidden], outStride, (c) => columns + c);
    expectClose(found, lstm(gates, weight, bias, reverse), 2e-5);
  });
});

describe('span_features', () => {
  it.each([
    [0, true],
    [2, true],
    [2, false],
    [7, true],
  ])('of the row %i further on, ReLU: %s', async (at, relu) => {
    const [starts, ends] = [randomMatrix(1, 5, 96), randomMatrix(2, 5, 96)];
    const features = blank(gpu, 5 * 96);
    const buffers = {
      starts: upload(gpu, padded(starts, { stride: 96 })),
      ends: upload(gpu, padded(ends, { stride: 96 })),
      number: number(at),
      features,
    };
    const data = await runStep(
      gpu,
      spanStep<void>({ columns: 96, relu }, buffers, () => 5),
      features,
      5 * 96,
    );
    expectClose(unpadded(data, [5, 96], 96), spanFeatures(starts, ends, at, relu), 1e-6);
  });
});

it('label_features joins a word and one of the labels', async () => {
  const [words, labels] = [randomMatrix(1, 5, 192), randomMatrix(2, 3, 192)];
  const features = blank(gpu, 5 * 288);
  const buffers = {
    words: upload(gpu, padded(words, { stride: 192 })),
    labels: upload(gpu, padded(labels, { stride: 192 })),
    number: number(2),
    features,
  };
  const data = await runStep(
    gpu,
    labelStep<void>({ width: 96 }, buffers, () => 5),
    features,
    5 * 288,
  );
  expectClose(unpadded(data, [5, 288], 288), labelFeatures(words, labels[2]), 1e-6);
});

describe('dot_rows', () => {
  it.each([true, false])('scores rows at their place, with a bias: %s', async (hasBias) => {
    const [rows, others] = [randomMatrix(1, 6, 96), randomMatrix(2, 3, 96)];
    const bias = randomVector(3, 3);
    const scores = blank(gpu, 6 * 12);
    const buffers = {
      rows: upload(gpu, padded(rows, { stride: 96 })),
      others: upload(gpu, padded(others, { stride: 96 })),
      bias: hasBias ? upload(gpu, Float32Array.from(bias)) : undefined,
      number: number(2),
      spans: spans(4),
      scores,
    };
    const step = dotStep<void>({ columns: 96, count: 3, stride: 12 }, buffers, () => 6);
    const data = await runStep(gpu, step, scores, 6 * 12);
    const expected = dotRows(rows.slice(0, 4), others, hasBias ? bias : undefined);
    expectClose(
      unpadded(data, [4, 3], 12, (c) => 6 + c),
      expected,
      1e-5,
    );
    const beyond = unpadded(data.subarray(4 * 12), [2, 3], 12, (c) => 6 + c);
    expect(beyond.flatMap((row) => [...row])).toEqual(Array(6).fill(0));
  });
});
