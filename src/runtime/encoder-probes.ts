/** Probes of the kernels between a pass's ids and its hidden states; those of matrix products are in gemm-probes.ts. */
import type { Arithmetic, Dtype } from '../api/types';
import type { Constants } from '../gpu/kernel';
import { decoded, F32_ERROR, noisyWeights } from '../kernels/gemm-twin';
import { bytesOf } from '../kernels/storage';
import { add, addRows, layerNorm, linear, type Matrix, quantizeRows, rmsNorm } from '../kernels/twins';
import { type MakeProbe, numbers, unwritten, whole } from './probe-parts';

/** LayerNorm's sizes, and its parameters in their padded form. */
function normed(c: Constants) {
  const [hidden, stride, eps] = [Number(c.HIDDEN), Number(c.STRIDE), Number(c.EPS)];
  const [weight, bias] = [2, 3].map((seed) => numbers(1, hidden, stride, 'f32', seed));
  return {
    hidden,
    stride,
    type: c.out_t as Arithmetic,
    buffers: { weight: weight.words, bias: bias.words },
    of: (x: Matrix) => {
      const { rows } = weight;
      if (!c.RMS) return layerNorm(x, rows[0], bias.rows[0], eps);
      return add(
        rmsNorm(x, rows[0], eps),
        x.map(() => bias.rows[0]),
      );
    },
  };
}

/** In an order that is not theirs. */
const ROWS = [3, 0, 7, 5, 1, 6, 2, 4];

const layer_norm: MakeProbe = (c) => {
  const { hidden, stride, type, buffers, of } = normed(c);
  const x = numbers(ROWS.length, hidden, stride);
  const rows = c.GATHER ? ROWS : [...ROWS.keys()];
  const chosen = rows.map((row) => x.rows[row]);
  return [
    {
      buffers: {
        ...buffers,
        hidden_states: x.words,
        rows: Uint32Array.from(rows),
        normed: unwritten(ROWS.length * stride * bytesOf(type)),
      },
      workgroups: [ROWS.length / 4],
      outputs: [whole('normed', type, c.COPY ? chosen : of(chosen), stride, F32_ERROR)],
    },
  ];
};

const layer_norm_in_place: MakeProbe = (c) => {
  const { hidden, stride, type, buffers, of } = normed(c);
  const x = numbers(ROWS.length, hidden, stride);
  const expected = of(x.rows);
  return [
    {
      buffers: { ...buffers, hidden_states: x.words, normed: unwritten(ROWS.length * stride * bytesOf(type)) },
      workgroups: [ROWS.length / 4],
      outputs: [
        whole('hidden_states', 'f32', expected, stride, F32_ERROR),
        whole('normed', type, expected, stride, F32_ERROR),
      ],
    },
  ];
};

const embeddings: MakeProbe = (c) => {
  const [stride, positions, types] = [c.STRIDE, c.POSITIONS, c.TYPES].map(Number);
  const dtype = ({ 32: 'f32', 16: 'f16', 8: 'q8', 4: 'q4' } as const)[Number(c.W_BITS)] as Dtype;
  const { w, w_scales } = noisyWeights(ROWS.length, stride, dtype);
  const row = decoded(w, stride, dtype, w_scales);
  const [positionRows, typeRows] = [positions, types].map((rows, i) => numbers(rows, stride, stride, 'f32', 2 + i));
  const of = (rows: number, id: number) => Math.min(id, rows - 1);
  const expected = ROWS.map((id, r) =>
    new Float64Array(row(id).numbers).map(
      (value, i) =>
        value +
        (positions > 0 ? positionRows.rows[of(positions, 7 - r)][i] : 0) +
        (types > 0 ? typeRows.rows[of(types, r % 2)][i] : 0),
    ),
  );
  return [
    {
      buffers: {
        input_ids: Uint32Array.from(ROWS, (id) => Number(c.FIRST_ID) + id),
        w,
        w_scales,
        positions: positions > 0 ? Uint32Array.from(ROWS, (_, r) => of(positions, 7 - r)) : undefined,
        position_embeddings: positions > 0 ? positionRows.words : undefined,
        token_type_ids: types > 1 ? Uint32Array.from(ROWS, (_, r) => r % 2) : undefined,
        token_type_embeddings: types > 0 ? typeRows.words : undefined,
        hidden_states: unwritten(ROWS.length * stride * 4),
      },
      workgroups: [ROWS.length / 4],
      outputs: [whole('hidden_states', 'f32', expected, stride, F32_ERROR)],
    },
  ];
};

const head_scores: MakeProbe = (c) => {
  const [heads, headDim, columns] = [c.HEADS, c.HEAD_DIM, c.COLUMNS].map(Number);
  const type = c.act_t as Arithmetic;
  const head = Math.min(heads, 2) - 1; // the one that is looked at
  const [a, b] = (['A', 'B'] as const).map((side, i) => {
    const [stride, column] = [Number(c[`${side}_STRIDE`]), Number(c[`${side}_COLUMN`])];
    const { words, rows } = numbers(64, stride, stride, type, 2 + i);
    const at = column + head * headDim;
    return { words, rows: rows.map((row) => row.subarray(at, at + headDim)) };
  });
  const stride = heads * columns;
  return [
    {
      buffers: { a: a.words, b: b.words, scores: unwritten(64 * stride * bytesOf(type)) },
      workgroups: [1, 1, head + 1],
      outputs: [whole('scores', type, linear(a.rows, b.rows), stride, headDim * F32_ERROR, head * columns)],
    },
  ];
};

const relative_bias: MakeProbe = (c) => {
  const [heads, reach, stride] = [c.HEADS, c.REACH, c.STRIDE].map(Number);
  const weight = numbers(5, heads, stride);
  const distances = 2 * reach + 1;
  const buckets = Float32Array.from({ length: distances }, (_, i) => (i * 3) % 5);
  const expected = Array.from({ length: heads }, (_, head) =>
    Float64Array.from(buckets, (bucket) => weight.rows[bucket][head] * Math.LOG2E),
  );
  return [
    {
      buffers: {
        buckets: new Uint32Array(buckets.buffer),
        weight: weight.words,
        relative_bias: unwritten(heads * distances * 4),
      },
      workgroups: [Math.ceil(distances / 64), heads],
      outputs: [whole('relative_bias', 'f32', expected, distances, F32_ERROR)],
    },
  ];
};

const quantize_rows: MakeProbe = (c) => {
  const type = c.act_t as Arithmetic;
  const [rows, groups] = [8, 32]; // one workgroup
  const x = numbers(rows, groups * 32, groups * 32, type);
  const { scales } = quantizeRows(x.rows);
  return [
    {
      buffers: { x: x.words, a: unwritten(rows * groups * 32), a_scales: unwritten(rows * groups * 4) },
      workgroups: [1],
      outputs: [
        whole('a_scales', 'f32', scales, groups, F32_ERROR),
        {
          binding: 'a',
          type: 'int8',
          rows,
          columns: groups * 32,
          stride: groups * 32,
          column: 0,
          compare(read, judge) {
            x.rows.forEach((values, r) => {
              for (let i = 0; i < values.length; i++) judge(read(r, i), values[i] / scales[r][i >> 5], 0.5 + 1e-3);
            });
          },
        },
      ],
    },
  ];
};
const add_rows: MakeProbe = (c) => {
  const [stride, sumStride, columns, count] = [c.STRIDE, c.SUM_STRIDE, c.COLUMNS, c.WEIGHTS].map(Number);
  const [rows, sum] = [numbers(2, columns, stride), numbers(2, columns, sumStride, 'f32', 2)];
  const weights = Float32Array.from({ length: count }, (_, i) => 1 + i / 4);
  const w = count > 0 ? weights[Number(c.INDEX)] / weights.reduce((a, b) => a + b) : 1;
  return [
    {
      buffers: { rows: rows.words, weights: count > 0 ? new Uint32Array(weights.buffer) : undefined, sum: sum.words },
      workgroups: [2, Math.ceil(columns / 64)],
      outputs: [
        whole('sum', 'f32', addRows(rows.rows, w, c.FIRST ? undefined : sum.rows), sumStride, F32_ERROR * (1 + count)),
      ],
    },
  ];
};

/** By the first word of a kernel's label. */
export const ENCODER_PROBES: Record<string, MakeProbe> = {
  layer_norm,
  layer_norm_in_place,
  embeddings,
  head_scores,
  relative_bias,
  quantize_rows,
  add_rows,
};
