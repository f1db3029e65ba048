/**
 * Small inputs for every kind of kernel, and what it must compute from them: one function per kind, which reads the sizes that the kernel was
 * compiled for.
 */
import type { Pooling } from '../api/embeddings';
import type { Arithmetic, Dtype } from '../api/types';
import type { Constants, KernelSpec } from '../gpu/kernel';
import type { CompiledStep } from '../kernels/compile';
import { decoded, F32_ERROR, noisyWeights } from '../kernels/gemm-twin';
import { poolSpan } from '../kernels/pool';
import { blocksOf, placeOf } from '../kernels/sparse-blocks';
import { bytesOf } from '../kernels/storage';
import {
  add,
  addRows,
  attention,
  layerNorm,
  type Matrix,
  normalize,
  pool,
  quantizeRows,
  rmsNorm,
  sparseRow,
  spladePool,
} from '../kernels/twins';
import { attentionTiles, keyBounds, tileWords, tokenStream } from '../packing/stream';
import { gemmProbes } from './gemm-probes';
import { GLINER_PROBES } from './gliner-probes';
import { type MakeProbe, numbers, type Probe, unwritten, whole } from './probe-parts';

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
  const dtype = ({ 32: 'f32', 16: 'f16', 8: 'q8' } as const)[Number(c.W_BITS)] as Dtype;
  const { w: table, w_scales } = noisyWeights(ROWS.length, stride, dtype);
  const row = decoded(table, stride, dtype, w_scales);
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
        table,
        table_scales: w_scales,
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

/** Of the stream's sequences; the second is longer than a tile. */
const attentionProbe: MakeProbe = (c) => {
  const [heads, kvHeads, headDim, reach] = [c.HEADS, c.KV_HEADS, c.HEAD_DIM, c.REACH].map(Number);
  const type = c.act_t as Arithmetic;
  const tileRows = Number(c.ROWS ?? 16); // design subgroup has 16
  const slices = Math.ceil(headDim / (8 * Number(c.ACROSS ?? c.LANES)));
  const stream = tokenStream([7, tileRows + 21, 5].map((length) => new Uint32Array(length)));
  const tokens = stream.input_ids.length;
  const width = heads * headDim;
  const head = Math.min(heads, 2) - 1; // the one that is looked at: its place depends on all sizes
  const keyHead = Math.floor((head * kvHeads) / heads);
  const qkvWidth = width + 2 * kvHeads * headDim;
  const qkv = numbers(tokens, qkvWidth, qkvWidth, type);
  const part = (place: number) => qkv.rows.map((row) => row.subarray(place * headDim).subarray(0, headDim));
  const [k, v] = [part(heads + keyHead), part(heads + kvHeads + keyHead)];
  // The kernel's exponentials are base 2 and q carries the scale of the softmax.
  const q = part(head).map((row) => row.map((value) => value * Math.sqrt(headDim) * Math.LN2));
  const biases = numbers(heads, 2 * reach + 1, 2 * reach + 1, 'f32', 2);
  const bias = (_: number, i: number, j: number) =>
    reach && biases.rows[head][Math.max(-reach, Math.min(j - i, reach)) + reach] * Math.LN2;
  return [0, 8].map((window) => {
    const tiles = attentionTiles(stream.cu_seqlens, tileRows, window);
    const expected = attention({ q, k, v }, stream.cu_seqlens, headDim, window, bias);
    return {
      buffers: {
        qkv: qkv.words,
        relative_bias: reach > 0 ? biases.words : undefined,
        tiles: tileWords(tiles),
        bounds: keyBounds(stream, window),
        out: unwritten(tokens * width * bytesOf(type)),
      },
      workgroups: [tiles.length, head + 1, slices],
      // Scores reach 20, and their errors are exponentiated.
      outputs: [whole('out', type, expected, width, 16 * F32_ERROR, head * headDim)],
    };
  });
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

const poolProbe: MakeProbe = (c, label) => {
  const [stride, outStride, column] = [Number(c.STRIDE), Number(c.OUT_STRIDE), Number(c.OUT_COLUMN)];
  const [columns, outColumns] = [Number(c.COLUMNS), Number(c.OUT_COLUMNS)];
  const cu_seqlens = Uint32Array.of(0, 4, 25);
  const skip = 1;
  const x = numbers(25, stride, stride);
  const expected = pool(x.rows, cu_seqlens, label.split(' ')[1] as Pooling, skip).map((row) => {
    const written = new Float64Array(outColumns);
    written.set(row.subarray(0, columns));
    return written;
  });
  return [
    {
      buffers: {
        hidden_states: x.words,
        spans: Uint32Array.from([...poolSpan(0, 4, skip), ...poolSpan(4, 25, skip)]),
        pooled: unwritten(2 * outStride * 4),
      },
      workgroups: [2, Math.ceil(outColumns / 64)],
      outputs: [whole('pooled', 'f32', expected, outStride, F32_ERROR, column)],
    },
  ];
};

const normalizeProbe: MakeProbe = (c) => {
  const [stride, columns] = [Number(c.STRIDE), Number(c.COLUMNS)];
  const x = numbers(2, stride, stride);
  const lengths = normalize(x.rows.map((row) => row.subarray(0, columns)));
  const expected = x.rows.map((row, r) => row.map((value, i) => (i < columns ? lengths[r][i] : value)));
  return [
    {
      buffers: { embeddings: x.words },
      workgroups: [2],
      outputs: [whole('embeddings', 'f32', expected, stride, F32_ERROR)],
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

const top_k: MakeProbe = (c) => {
  const [vocab, stride] = [Number(c.VOCAB), Number(c.STRIDE)];
  const k = Math.min(4, vocab);
  // All logits are 0 but for these, which leaves little to add up here.
  const best = Array.from({ length: k }, (_, i) => ({
    id: Math.floor(((i + 1) * vocab) / k) - 1,
    logit: 4 - (i % 2) * 2 - i / 8,
  }));
  const logits = new Float32Array(2 * stride);
  for (const { id, logit } of best) for (const row of [0, 1]) logits[row * stride + id] = logit;
  const total = best.reduce((sum, { logit }) => sum + Math.exp(logit), vocab - k);
  best.sort((a, b) => b.logit - a.logit);
  return [
    {
      buffers: { logits: new Uint32Array(logits.buffer), best: unwritten(2 * k * 8) },
      workgroups: [2],
      outputs: [
        {
          binding: 'best',
          type: 'u32',
          rows: 2,
          columns: 2 * k,
          stride: 2 * k,
          column: 0,
          compare(read, judge) {
            for (const row of [0, 1]) {
              best.forEach(({ id, logit }, i) => {
                const [probability] = new Float32Array(Uint32Array.of(read(row, 2 * i + 1)).buffer);
                const expected = Math.exp(logit) / total;
                judge(read(row, 2 * i), id, 0.5);
                judge(probability, expected, expected * 16 * F32_ERROR);
              });
            }
          },
        },
      ],
    },
  ];
};

const splade_pool: MakeProbe = (c) => {
  const stride = Number(c.STRIDE);
  const columns = Math.min(stride, 128);
  const cu_seqlens = Uint32Array.of(0, 4, 25);
  const x = numbers(25, columns, stride);
  const expected = spladePool(x.rows, cu_seqlens, c.SUM ? 'sum' : 'max', Boolean(c.TWICE));
  return [
    {
      buffers: {
        logits: x.words,
        spans: Uint32Array.from([...poolSpan(0, 4), ...poolSpan(4, 25)]),
        pooled: unwritten(2 * stride * 4),
      },
      workgroups: [2, columns / 64],
      outputs: [whole('pooled', 'f32', expected, stride, 4 * F32_ERROR)], // of each logarithm
    },
  ];
};

/** More weights than there is room for, some of them equal, in a row that has only some of them. */
const sparse_rows: MakeProbe = (c) => {
  const [vocab, block, piece] = [c.VOCAB, c.BLOCK, c.PIECE].map(Number);
  const spec = { vocab, block, piece };
  const k = Math.min(5, vocab);
  const weights = new Float32Array(2 * blocksOf(spec) * block);
  const rows = [7, 3].map((count, r) => {
    const row = new Float64Array(vocab);
    for (let i = 0; i < Math.min(count, vocab); i++) {
      const id = Math.floor(((i + 1) * vocab) / Math.min(count, vocab)) - 1;
      row[id] = 0.5 + ((5 * i) % 4) / 8;
      weights[placeOf(spec, 2, r, id)] = row[id];
    }
    return sparseRow(row, k);
  });
  return [
    {
      buffers: { weights: new Uint32Array(weights.buffer), entries: unwritten(2 * (k + 1) * 8) },
      workgroups: [2],
      outputs: [
        {
          binding: 'entries',
          type: 'u32',
          rows: 2,
          columns: 2 * (k + 1),
          stride: 2 * (k + 1),
          column: 0,
          compare(read, judge) {
            for (const [r, { nonzero, entries }] of rows.entries()) {
              judge(read(r, 0), nonzero, 0.5);
              judge(read(r, 1), entries.length, 0.5);
              for (const [i, [id, weight]] of entries.entries()) {
                judge(read(r, 2 + 2 * i), id, 0.5);
                judge(new Float32Array(Uint32Array.of(read(r, 3 + 2 * i)).buffer)[0], weight, 1e-9);
              }
            }
          },
        },
      ],
    },
  ];
};

/** By the first word of a kernel's label. */
const PROBES: Record<string, MakeProbe> = {
  layer_norm,
  layer_norm_in_place,
  embeddings,
  relative_bias,
  attention: attentionProbe,
  quantize_rows,
  pool: poolProbe,
  normalize: normalizeProbe,
  add_rows,
  top_k,
  splade_pool,
  sparse_rows,
  ...GLINER_PROBES,
};

/** The probes of a step's kernels. Throws a TypeError for a kind of kernel that has none. */
export function probesOf({ step, variants }: Pick<CompiledStep<never>, 'step' | 'variants'>): Probe[] {
  if ('gemm' in step) return gemmProbes(step.gemm, variants);
  const { label, constants }: KernelSpec = step.kernel;
  const make = PROBES[label.split(' ')[0]];
  if (!make) throw new TypeError(`runtime/probes.ts has no probe for the kernel '${label}'.`);
  return make(constants, label);
}
