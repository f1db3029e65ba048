/** Probes of the kernels that make answers of hidden states and logits. */
import type { Pooling } from '../api/embeddings';
import { F32_ERROR } from '../kernels/gemm-twin';
import { poolSpan } from '../kernels/pool';
import { blocksOf, placeOf } from '../kernels/sparse-blocks';
import { normalize, pool, sparseRow, spladePool } from '../kernels/twins';
import { type MakeProbe, numbers, unwritten, whole } from './probe-parts';

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
export const OUTPUT_PROBES: Record<string, MakeProbe> = {
  pool: poolProbe,
  normalize: normalizeProbe,
  top_k,
  splade_pool,
  sparse_rows,
};
