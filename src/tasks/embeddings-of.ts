import type { Embeddings, Precision, PrecisionData } from '../api/embeddings';

/** The numbers of embeddings, which can be cloned, as embeddings. */
export function embeddingsOf<P extends Precision>(numbers: Omit<Embeddings<P>, 'row' | 'toArrays'>): Embeddings<P> {
  const { data, rows } = numbers;
  const width = data.length / rows;
  const row = (i: number) => data.subarray(i * width, (i + 1) * width) as PrecisionData[P];
  return { ...numbers, row, toArrays: () => Array.from({ length: rows }, (_, i) => [...row(i)]) };
}
