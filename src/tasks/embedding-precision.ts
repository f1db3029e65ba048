import type { EmbedOptions, Precision, PrecisionData } from '../api/embeddings';
import { wrongChoice } from '../api/errors';

/** Converts rows of `dim` numbers to a precision. Throws a RangeError for options that do not go together. */
export function pack<P extends Precision>(
  precision: P,
  dim: number,
  ranges: EmbedOptions['ranges'],
): (data: Float32Array) => PrecisionData[P] {
  const packers: { [Q in Precision]: (data: Float32Array) => PrecisionData[Q] } = {
    float32: (data) => data,
    int8: (data) => (ranges ? inRanges(data, dim, ranges) : scaled(data, dim)),
    binary: (data) => bits(data, dim),
  };
  if (!Object.hasOwn(packers, precision)) {
    throw wrongChoice('precision', Object.keys(packers), precision);
  }
  if (ranges && (precision !== 'int8' || ranges.min.length !== dim || ranges.max.length !== dim)) {
    throw new RangeError(
      `ranges need precision 'int8' and ${dim} numbers each; precision is '${precision}', and they have ${ranges.min.length} and ${ranges.max.length}.`,
    );
  }
  return packers[precision];
}

/** Scales each row so that its largest magnitude is 127: cosines stay, and rows of different calls can be compared. */
function scaled(data: Float32Array, dim: number): Int8Array {
  const packed = new Int8Array(data.length);
  for (let at = 0; at < data.length; at += dim) {
    const row = data.subarray(at, at + dim);
    const most = row.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0) || 1;
    for (const [c, x] of row.entries()) packed[at + c] = Math.round((127 * x) / most);
  }
  return packed;
}

/** sentence-transformers' int8: trunc((x - min) / step - 128), clamped, where a step is 1/255 of the range. */
function inRanges(data: Float32Array, dim: number, { min, max }: NonNullable<EmbedOptions['ranges']>): Int8Array {
  return Int8Array.from(data, (x, i) => {
    const c = i % dim;
    const step = (max[c] - min[c]) / 255;
    return step > 0 ? Math.max(-128, Math.min(127, Math.trunc((x - min[c]) / step - 128))) : 0;
  });
}

/** sentence-transformers' ubinary: one bit per number, the first in the highest bit; each row begins at a byte. */
function bits(data: Float32Array, dim: number): Uint8Array {
  const bytes = Math.ceil(dim / 8);
  const packed = new Uint8Array((data.length / dim) * bytes);
  for (const [i, x] of data.entries()) {
    const c = i % dim;
    if (x > 0) packed[Math.floor(i / dim) * bytes + (c >> 3)] |= 0x80 >> (c & 7);
  }
  return packed;
}
