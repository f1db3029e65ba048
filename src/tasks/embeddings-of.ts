import type { Embeddings, Precision, PrecisionData } from '../api/embeddings';

/** Numbers that are printed. */
const SHOWN = 4;

/** The numbers of embeddings, which can be cloned, as embeddings. */
export function embeddingsOf<P extends Precision>(numbers: Omit<Embeddings<P>, 'row' | 'toArrays'>): Embeddings<P> {
  const { data, rows, dim } = numbers;
  const width = data.length / rows;
  const row = (i: number) => {
    if (i >= 0 && i < rows) return data.subarray(i * width, (i + 1) * width) as PrecisionData[P];
    throw new RangeError(`There is no row ${i}: there are ${rows}, from 0.`);
  };
  // What console.log shows in Node, Deno and Bun, instead of the first hundred numbers.
  const text = () => {
    const first = Array.from(data.subarray(0, SHOWN), (x) => Number(x.toFixed(4)));
    return `Embeddings { rows: ${rows}, dim: ${dim}, data: ${data.constructor.name} [${first.join(', ')}${data.length > SHOWN ? ', …' : ''}] }`;
  };
  const embeddings = { ...numbers, row, toArrays: () => Array.from({ length: rows }, (_, i) => [...row(i)]) };
  return Object.defineProperty(embeddings, Symbol.for('nodejs.util.inspect.custom'), { value: text });
}
