/** Probes of the kernels of GLiNER's heads. */
import { F32_ERROR } from '../kernels/gemm-twin';
import { dotRows, labelFeatures, lstm, spanFeatures } from '../kernels/gliner-twins';
import { type MakeProbe, numbers, unwritten, whole } from './probe-parts';

const ROWS = 5;
/** A list of which only the length counts. */
const spans = (rows: number) => new Uint32Array(3 * rows);
const number = (value: number) => new Uint32Array(Float32Array.of(value).buffer);

const lstmProbe: MakeProbe = (c) => {
  const [hidden, columns, stride, outStride, column] = [c.H, c.COLUMNS, c.GATES, c.OUT_STRIDE, c.OUT_COLUMN].map(
    Number,
  );
  const gates = numbers(ROWS, 4 * hidden, stride);
  const weight = numbers(4 * hidden, hidden, columns, 'f32', 2);
  const bias = numbers(1, 4 * hidden, 4 * hidden, 'f32', 3);
  const expected = lstm(gates.rows, weight.rows, bias.rows[0], c.REVERSE === true);
  return [
    {
      buffers: {
        gates: gates.words,
        weight: weight.words,
        bias: bias.words,
        spans: spans(ROWS),
        out: unwritten(ROWS * outStride * 4),
      },
      workgroups: [1],
      // Sums of H products, through ROWS steps.
      outputs: [whole('out', 'f32', expected, outStride, ROWS * hidden * F32_ERROR, column)],
    },
  ];
};

const span_features: MakeProbe = (c) => {
  const columns = Number(c.COLUMNS);
  const [starts, ends] = [numbers(ROWS, columns, columns), numbers(ROWS, columns, columns, 'f32', 2)];
  const expected = spanFeatures(starts.rows, ends.rows, 2, c.RELU === true);
  return [
    {
      buffers: {
        starts: starts.words,
        ends: ends.words,
        number: number(2),
        features: unwritten(ROWS * columns * 4),
      },
      workgroups: [ROWS, Math.ceil(columns / 64)],
      outputs: [whole('features', 'f32', expected, columns, F32_ERROR)],
    },
  ];
};

const label_features: MakeProbe = (c) => {
  const width = Number(c.WIDTH);
  const [words, labels] = [numbers(ROWS, 2 * width, 2 * width), numbers(3, 2 * width, 2 * width, 'f32', 2)];
  return [
    {
      buffers: {
        words: words.words,
        labels: labels.words,
        number: number(1),
        features: unwritten(ROWS * 3 * width * 4),
      },
      workgroups: [ROWS, Math.ceil(width / 64)],
      outputs: [whole('features', 'f32', labelFeatures(words.rows, labels.rows[1]), 3 * width, F32_ERROR)],
    },
  ];
};

const dot_rows: MakeProbe = (c) => {
  const [columns, others, stride] = [c.COLUMNS, c.OTHERS, c.STRIDE].map(Number);
  const rows = numbers(ROWS, columns, columns);
  const against = numbers(others, columns, columns, 'f32', 2);
  const bias = numbers(1, others, others, 'f32', 3);
  const at = stride / others - 1; // the last place in a row
  const expected = dotRows(rows.rows, against.rows, c.HAS_BIAS ? bias.rows[0] : undefined);
  expected[ROWS - 1].fill(0); // one row has no span
  return [
    {
      buffers: {
        rows: rows.words,
        others: against.words,
        bias: c.HAS_BIAS ? bias.words : undefined,
        number: number(at),
        spans: spans(ROWS - 1),
        scores: unwritten(ROWS * stride * 4),
      },
      workgroups: [ROWS, others],
      outputs: [whole('scores', 'f32', expected, stride, columns * F32_ERROR, at * others)],
    },
  ];
};

export const GLINER_PROBES: Record<string, MakeProbe> = { lstm: lstmProbe, span_features, label_features, dot_rows };
