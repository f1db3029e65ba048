import type { Precision } from '../api/embeddings';

export type Row = Float32Array | Int8Array;

/** Vectors as `nearest` reads them, row after row: [count, dim]. */
export interface Vectors {
  precision: Precision;
  dim: number;
  count: number;
  data: Row;
  /** Of int8 rows: 1 / length, or 0. */
  scales: Float32Array;
  /** Of binary ones: a bit per number, set if it is above 0; each row begins at a word. */
  bits: Int32Array;
}

/** Words of 32 bits per row of bits. */
export const bitWords = (dim: number): number => Math.ceil(dim / 32);

/** Sets the bits of one row, which are 0 before. */
export function setBits(row: Row, bits: Int32Array, at: number): void {
  for (let c = 0; c < row.length; c++) if (row[c] > 0) bits[at + (c >> 5)] |= 1 << (c & 31);
}

/** 1 / length of a row; 0 if all of it is 0. */
export function scaleOf(row: Row): number {
  let sum = 0;
  for (let c = 0; c < row.length; c++) sum += row[c] * row[c];
  return sum > 0 ? 1 / Math.sqrt(sum) : 0;
}

/** Rows of a block: what is copied again if one of them changes. */
export const BLOCK = 1024;

/** Vectors that grow: there is room for up to half as many again, so that rows are moved seldom. */
export class VectorTable implements Vectors {
  count = 0;
  /** Another number after each change. */
  revision = 0;
  /** Blocks with rows that have changed, for whoever keeps a copy and takes them from here. */
  readonly changed = new Set<number>();
  data: Row;
  scales = new Float32Array(0);
  bits = new Int32Array(0);
  private room = 0;

  constructor(
    readonly precision: Precision,
    readonly dim: number,
  ) {
    this.data = this.precision === 'float32' ? new Float32Array(0) : new Int8Array(0);
  }

  /** Makes room for so many rows. Throws a RangeError if there is no memory for them. */
  reserve(rows: number): void {
    if (rows <= this.room) return;
    const { dim, precision } = this;
    try {
      const data = precision === 'float32' ? new Float32Array(rows * dim) : new Int8Array(rows * dim);
      const scales = new Float32Array(precision === 'float32' ? 0 : rows);
      const bits = new Int32Array(precision === 'binary' ? rows * bitWords(dim) : 0);
      data.set(this.data.subarray(0, this.count * dim));
      scales.set(this.scales);
      bits.set(this.bits);
      Object.assign(this, { data, scales, bits, room: rows });
    } catch (cause) {
      const bytes = rows * dim * this.data.BYTES_PER_ELEMENT;
      throw new RangeError(
        `There is no memory for ${rows} vectors of ${dim} numbers in ${precision} (${Math.round(bytes / 1e6)} MB). Use int8, fewer dimensions or larger passages.`,
        { cause },
      );
    }
  }

  /** Appends a vector, and returns its row. */
  push(vector: Row): number {
    const { dim, precision } = this;
    const row = this.count;
    if (row === this.room) this.reserve(Math.max(64, Math.ceil(row * 1.5)));
    this.data.set(vector, row * dim);
    if (precision !== 'float32') this.scales[row] = scaleOf(vector);
    if (precision === 'binary') {
      const words = bitWords(dim);
      this.bits.fill(0, row * words, (row + 1) * words);
      setBits(vector, this.bits, row * words);
    }
    this.count++;
    this.hasChanged(row);
    return row;
  }

  /** Removes a row; the last one takes its place. */
  remove(row: number): void {
    const last = --this.count;
    this.hasChanged(row);
    if (row === last) return;
    const { dim } = this;
    const words = bitWords(dim);
    this.data.copyWithin(row * dim, last * dim, (last + 1) * dim);
    if (this.precision !== 'float32') this.scales[row] = this.scales[last];
    if (this.precision === 'binary') this.bits.copyWithin(row * words, last * words, (last + 1) * words);
  }

  /** A copy of these rows, one after the other. */
  copy(rows: readonly number[]): Row {
    const { dim, data } = this;
    const all = this.precision === 'float32' ? new Float32Array(rows.length * dim) : new Int8Array(rows.length * dim);
    for (const [i, row] of rows.entries()) all.set(data.subarray(row * dim, (row + 1) * dim), i * dim);
    return all;
  }

  private hasChanged(row: number): void {
    this.revision++;
    this.changed.add(Math.floor(row / BLOCK));
  }
}
