import type { Metric, Precision, PrecisionData, Vectors } from './api/embeddings';
import { wrongChoice } from './api/errors';
import { type PackedVectors, packedMaxSim } from './packed-vectors';
import { checkSpaces } from './same-space';

type Vector = Float32Array | Int8Array;

const METRICS: Record<Metric, (a: Vector, b: Vector) => number> = {
  cosine: (a, b) => dot(a, b) / Math.max(Math.sqrt(dot(a, a) * dot(b, b)), 1e-12),
  dot,
  euclidean: (a, b) => -Math.sqrt(sum(a, (x, i) => (x - b[i]) ** 2)),
  manhattan: (a, b) => -sum(a, (x, i) => Math.abs(x - b[i])),
};

/**
 * The similarity of each row i of `a` to each row j of `b`: result[i][j], larger is more similar. int8 embeddings are compared by cosine, binary
 * ones by the cosine of their signs, 1 - 2 · (differing bits) / dim. Throws a RangeError for embeddings that cannot be compared.
 */
export function similarity<D extends PrecisionData[Precision]>(
  a: Vectors<D>,
  b: Vectors<D>,
  metric: Metric = 'cosine',
): Float32Array[] {
  const compare = METRICS[metric];
  if (!compare) throw wrongChoice('metric', Object.keys(METRICS), metric);
  if (a.dim !== b.dim) throw new RangeError(`Embeddings of ${a.dim} and of ${b.dim} numbers cannot be compared.`);
  if (a.data.constructor !== b.data.constructor) {
    throw new RangeError(`${kind(a)} and ${kind(b)} cannot be compared: use one precision for both.`);
  }
  if (metric !== 'cosine' && !(a.data instanceof Float32Array)) {
    throw new RangeError(`${kind(a)} can only be compared by cosine, not by ${metric}.`);
  }
  checkSpaces(a, b);
  const ofRows = (x: PrecisionRow, y: PrecisionRow): number =>
    x instanceof Uint8Array ? 1 - (2 * sum(x, (byte, i) => BITS[byte ^ y[i]])) / a.dim : compare(x, y as Vector);
  return Array.from({ length: a.rows }, (_, i) =>
    Float32Array.from({ length: b.rows }, (_, j) => ofRows(a.row(i), b.row(j))),
  );
}

/**
 * ColBERT's score of a document for a query: the sum over the query's tokens of the largest dot product with a token of the document, which may be
 * packed (packVectors). Throws a RangeError if their widths or their embedding spaces differ.
 */
export function maxSim(query: Vectors, document: Vectors | PackedVectors): number {
  checkPair(query, document);
  if ('codes' in document) return packedMaxSim(query, document)(document);
  let score = 0;
  for (let q = 0; q < query.rows; q++) {
    const row = query.row(q);
    let best = -Infinity;
    for (let d = 0; d < document.rows; d++) best = Math.max(best, dot(row, document.row(d)));
    score += best;
  }
  return score;
}

export interface SearchMaxSimOptions {
  /** Documents to return, best first. Default 10. */
  topK?: number;
  /** The exact token embeddings of a document, to rank the candidates by. Without it the scores are those of the packed ones. */
  exact?: (index: number) => Vectors | Promise<Vectors>;
  /** How many documents are ranked exactly: those that are best by the packed embeddings. Default four times topK. */
  candidates?: number;
}

/**
 * The documents that fit a query best by MaxSim, with their index in the list: packed token embeddings find candidates, and exact ones, if there
 * are any, rank these. Throws a RangeError for documents of another width or embedding space, or of different numbers of bits.
 */
export async function searchMaxSim(
  query: Vectors,
  documents: readonly PackedVectors[],
  { topK = 10, exact, candidates = 4 * topK }: SearchMaxSimOptions = {},
): Promise<{ index: number; score: number }[]> {
  for (const [name, count] of Object.entries({ topK, candidates })) {
    if (!Number.isInteger(count) || count < 1)
      throw new RangeError(`${name} must be a positive integer, it is ${count}.`);
  }
  if (documents.length === 0) return [];
  const [first] = documents;
  const score = packedMaxSim(query, first);
  const scored = documents.map((document, index) => {
    checkPair(query, document);
    if (document.bits === first.bits) return { index, score: score(document) };
    throw new RangeError(`Document ${index} has ${document.bits} bits per number, document 0 has ${first.bits}.`);
  });
  const best = (list: typeof scored, count: number) => list.sort((a, b) => b.score - a.score).slice(0, count);
  if (!exact) return best(scored, topK);
  const ranked: typeof scored = [];
  for (const { index } of best(scored, Math.max(candidates, topK))) {
    ranked.push({ index, score: maxSim(query, await exact(index)) });
  }
  return best(ranked, topK);
}

type Row = Pick<Vectors, 'dim' | 'embeddingSpace'>;

function checkPair(query: Row, document: Row): void {
  if (query.dim !== document.dim) {
    throw new RangeError(`Token embeddings of ${query.dim} and of ${document.dim} numbers cannot be compared.`);
  }
  checkSpaces(query, document);
}

type PrecisionRow = Float32Array | Int8Array | Uint8Array;

const kind = ({ data }: { data: PrecisionRow }): string => `${data.constructor.name} rows`;

/** Number of bits set, per byte. */
const BITS = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll('0', '').length);

function dot(a: Vector, b: Vector): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return total;
}

function sum(values: PrecisionRow, term: (value: number, i: number) => number): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += term(values[i], i);
  return total;
}
