import type { EmbedOptions } from './api/embeddings';
import type { Model } from './api/types';

/** Embeddings as lists of numbers, which is what most other libraries take; of no texts, none. */
export async function embedLists(
  model: Pick<Model, 'embed'>,
  texts: string[],
  options: EmbedOptions<'float32'>,
): Promise<number[][]> {
  if (texts.length === 0) return [];
  const { rows, row } = await model.embed(texts, options);
  return Array.from({ length: rows }, (_, i) => Array.from(row(i)));
}
