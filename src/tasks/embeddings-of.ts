import type { Embeddings, Precision, PrecisionData } from '../api/embeddings';

/** The numbers of embeddings, which can be cloned, as embeddings. */
export function embeddingsOf<P extends Precision>(numbers: Omit<Embeddings<P>, 'row' | 'toArrays'>): Embeddings<P> {
  const { data, rows } = numbers;
  const width = data.length / rows;
  const row = (i: number) => {
    if (i >= 0 && i < rows) return data.subarray(i * width, (i + 1) * width) as PrecisionData[P];
    throw new RangeError(`There is no row ${i}: there are ${rows}, from 0.`);
  };
  return { ...numbers, row, toArrays: () => Array.from({ length: rows }, (_, i) => [...row(i)]) };
}
