/**
 * Token embeddings in 1, 2 or 4 bits per number, and the search among documents of them: packed vectors find the candidates, exact ones rank
 * them. The levels are those of least squared error for a normal distribution (Max 1960; 1 bit: the sign), which the numbers of an embedding
 * follow closely enough. A row's scale makes its product with itself exact (the estimator of Gao and Long 2024, arXiv:2405.12497, without
 * the rotation).
 */
import type { Vectors } from './api/embeddings';
import { wrongChoice } from './api/errors';

/** Positive levels by the number of bits, in standard deviations; between two of them the nearest is taken. */
const LEVELS = {
  1: [0.7979],
  2: [0.4528, 1.5104],
  4: [0.1284, 0.3881, 0.6568, 0.9424, 1.2562, 1.6181, 2.069, 2.7326],
} as const;

export type PackedBits = keyof typeof LEVELS;

/** Rows of `dim` numbers in a few bits each. Plain data: it can be stored and sent as it is. */
export interface PackedVectors {
  bits: PackedBits;
  rows: number;
  dim: number;
  /** ceil(dim * bits / 8) bytes per row, the first number in the lowest bits of a byte. */
  codes: Uint8Array;
  /** What each row's levels are multiplied by. */
  scales: Float32Array;
  /** That of the vectors which were packed. */
  embeddingSpace?: string;
}

/** Packs float32 embeddings. Throws a RangeError for another number of bits, a TypeError for int8 or binary embeddings. */
export function packVectors(vectors: Vectors, bits: PackedBits): PackedVectors {
  if (!Object.hasOwn(LEVELS, bits)) throw wrongChoice('bits', Object.keys(LEVELS), bits);
  const { data, rows, dim, embeddingSpace } = vectors;
  if (!(data instanceof Float32Array)) throw new TypeError('packVectors needs float32 embeddings.');
  const levels = levelsOf(bits);
  const half = levels.length / 2;
  const bounds = levels.slice(half + 1).map((level, i) => (level + levels[half + i]) / 2);
  const bytes = Math.ceil((dim * bits) / 8);
  const codes = new Uint8Array(rows * bytes);
  const scales = new Float32Array(rows);
  for (let r = 0; r < rows; r++) {
    const row = data.subarray(r * dim, (r + 1) * dim);
    const squares = row.reduce((sum, x) => sum + x * x, 0);
    const deviation = Math.sqrt(squares / dim) || 1;
    let product = 0;
    for (let c = 0; c < dim; c++) {
      const magnitude = Math.abs(row[c]) / deviation;
      let step = 0;
      while (step < bounds.length && magnitude > bounds[step]) step++;
      const code = row[c] < 0 ? half - 1 - step : half + step;
      const bit = c * bits;
      codes[r * bytes + (bit >> 3)] |= code << (bit & 7);
      product += row[c] * levels[code];
    }
    scales[r] = product > 0 ? squares / product : 0;
  }
  return { bits, rows, dim, codes, scales, embeddingSpace };
}

/** The level of each code, ascending. */
function levelsOf(bits: PackedBits): number[] {
  const positive: readonly number[] = LEVELS[bits];
  return [...positive.map((level) => -level).reverse(), ...positive];
}

/** MaxSim of a query with packed documents: for every byte of a code, a table of what it adds to the product with each row of the query. */
export function packedMaxSim(query: Vectors, { bits, dim }: Pick<PackedVectors, 'bits' | 'dim'>) {
  const levels = levelsOf(bits);
  const perByte = 8 / bits;
  const bytes = Math.ceil(dim / perByte);
  const tables = Array.from({ length: query.rows }, (_, q) => {
    const row = query.row(q);
    const table = new Float32Array(bytes * 256);
    for (let byte = 0; byte < bytes; byte++) {
      for (let code = 0; code < 256; code++) {
        let sum = 0;
        for (let i = 0; i < perByte && byte * perByte + i < dim; i++) {
          sum += row[byte * perByte + i] * levels[(code >> (i * bits)) & (levels.length - 1)];
        }
        table[byte * 256 + code] = sum;
      }
    }
    return table;
  });
  return ({ codes, scales, rows }: PackedVectors): number => {
    let score = 0;
    for (const table of tables) {
      let best = -Infinity;
      for (let r = 0; r < rows; r++) {
        let sum = 0;
        for (let byte = 0; byte < bytes; byte++) sum += table[byte * 256 + codes[r * bytes + byte]];
        best = Math.max(best, sum * scales[r]);
      }
      score += best;
    }
    return score;
  };
}
