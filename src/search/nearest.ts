/** The exact search over vectors, on the CPU: of all rows, or of those that the GPU has left. */
import type { Span } from './spans';
import { TopK } from './top-k';
import { bitWords, type Row, scaleOf, setBits, type Vectors } from './vector-table';

/**
 * Candidates that the bits find; the int8 vectors decide among them. Measured (bench/NOTES.md): 20 per row that is wanted, at least 400, and a
 * thousandth of more than 400,000 find 96 to 99% of the best 10.
 */
const candidatesOf = (topK: number, count: number): number =>
  Math.min(Math.max(20 * topK, 400, Math.ceil(count / 1000)), count);

/**
 * The `topK` rows of largest dot product with `query` [dim] (of int8 rows: cosine), best first. `allowed`: a number per row, 0 for those that are left
 * out. `spans`, in ascending order: where the best rows are known to be (spansOf); binary ones are always searched among all. Of equal scores the
 * earlier row comes first.
 */
export function nearest(
  query: Row,
  vectors: Vectors,
  topK: number,
  allowed?: Uint8Array,
  spans: readonly Span[] = [{ from: 0, to: vectors.count }],
): { row: number; score: number }[] {
  const size = Math.min(topK, vectors.count);
  if (size === 0) return [];
  const best = new TopK(size);
  if (vectors.precision === 'float32') {
    const q = Float64Array.from(query);
    for (const span of spans) scanFloat32(q, vectors, span, best, allowed);
    return best.sorted();
  }
  const own = scaleOf(query);
  if (vectors.precision === 'int8') {
    for (const span of spans) scanInt8(query, own, vectors, span, best, allowed);
    return best.sorted();
  }
  const candidates = new TopK(candidatesOf(topK, vectors.count));
  scanBits(query, vectors, candidates, allowed);
  const rows = candidates.sorted().map(({ row }) => row);
  for (const row of rows.sort((a, b) => a - b)) {
    best.offer(row, int8Dot(query, vectors, row) * own * vectors.scales[row]);
  }
  return best.sorted();
}

/** The score of one row, of binary ones that of their int8 vector; NaN if a number of them is. */
export function similarity(query: Row, vectors: Vectors, row: number): number {
  const { data, dim, count, scales, bits } = vectors;
  const precision = vectors.precision === 'binary' ? 'int8' : vectors.precision;
  const of: Vectors = { precision, data, dim, count, scales, bits };
  return nearest(query, of, 1, undefined, [{ from: row, to: row + 1 }])[0]?.score ?? Number.NaN;
}

/**
 * Four sums at a time, so that an addition need not wait for the one before; in float64, as JavaScript computes. Declared one by one: as a list that is
 * taken apart they took V8 four times as long.
 */
function scanFloat32(
  q: Float64Array,
  { data, dim }: Vectors,
  { from, to }: Span,
  best: TopK,
  allowed: Uint8Array | undefined,
): void {
  const whole = dim - (dim % 4);
  for (let row = from; row < to; row++) {
    if (allowed && !allowed[row]) continue;
    let at = row * dim;
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    let i = 0;
    for (; i < whole; i += 4, at += 4) {
      a += data[at] * q[i];
      b += data[at + 1] * q[i + 1];
      c += data[at + 2] * q[i + 2];
      d += data[at + 3] * q[i + 3];
    }
    for (; i < dim; i++, at++) a += data[at] * q[i];
    best.offer(row, a + b + (c + d));
  }
}

function scanInt8(
  query: Row,
  own: number,
  vectors: Vectors,
  { from, to }: Span,
  best: TopK,
  allowed: Uint8Array | undefined,
): void {
  for (let row = from; row < to; row++) {
    if (!allowed || allowed[row]) best.offer(row, int8Dot(query, vectors, row) * own * vectors.scales[row]);
  }
}

/** Exact: 127 * 127 * dim is far below 2^31. */
function int8Dot(query: Row, { data, dim }: Vectors, row: number): number {
  const whole = dim - (dim % 4);
  let at = row * dim;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = 0;
  for (; i < whole; i += 4, at += 4) {
    a = (a + Math.imul(data[at], query[i])) | 0;
    b = (b + Math.imul(data[at + 1], query[i + 1])) | 0;
    c = (c + Math.imul(data[at + 2], query[i + 2])) | 0;
    d = (d + Math.imul(data[at + 3], query[i + 3])) | 0;
  }
  for (; i < dim; i++, at++) a = (a + Math.imul(data[at], query[i])) | 0;
  return a + b + c + d;
}

/** Scores are numbers of differing bits, negative. */
function scanBits(query: Row, { bits, dim, count }: Vectors, best: TopK, allowed: Uint8Array | undefined): void {
  const words = bitWords(dim);
  const own = new Int32Array(words);
  setBits(query, own, 0);
  for (let row = 0, at = 0; row < count; row++, at += words) {
    if (allowed && !allowed[row]) continue;
    let differing = 0;
    for (let word = 0; word < words; word++) {
      // The number of set bits, by sums of neighbours (Hacker's Delight, 5-1).
      let x = bits[at + word] ^ own[word];
      x -= (x >>> 1) & 0x55555555;
      x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
      differing += Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
    }
    best.offer(row, -differing);
  }
}
