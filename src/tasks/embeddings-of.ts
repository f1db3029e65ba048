import type { Embeddings, Precision, PrecisionData } from '../api/embeddings';

/** `data` as embeddings. */
export function embeddingsOf<P extends Precision>(data: PrecisionData[P], rows: number, dim: number): Embeddings<P> {
  const width = data.length / rows;
  return { data, rows, dim, row: (i) => data.subarray(i * width, (i + 1) * width) as PrecisionData[P] };
}
