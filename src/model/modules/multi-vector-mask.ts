import type { JsonFields } from '../../formats/json-fields';
import { type Module, type ReadModule, unchanged } from './module';

/** Which tokens have an embedding (multi_vector_encoder/modules/multi_vector_mask.py). */
export interface MultiVectorMask extends Module {
  kind: 'MultiVectorMask';
  skiplist_words: string[];
  /** The kinds of texts whose tokens on the skip list have none. */
  skiplist_tasks: string[];
  /** If not undefined, a document's other tokens have none. */
  keep_only_token_ids: number[] | undefined;
}

export const readMultiVectorMask: ReadModule = (fields, path, { feature }): MultiVectorMask => {
  if (feature !== 'token_embeddings')
    throw fields.unsupported('MultiVectorMask', `there are no tokens left (${feature})`);
  const keep = listOf(fields, 'keep_only_token_ids', [], (id) => Number.isInteger(id), 'a list of token ids');
  return {
    kind: 'MultiVectorMask',
    path,
    gives: feature,
    skiplist_words: texts(fields, 'skiplist_words', []),
    skiplist_tasks: texts(fields, 'skiplist_tasks', ['document']),
    keep_only_token_ids: keep.length > 0 ? (keep as number[]) : undefined,
    ...unchanged,
  };
};

/** A list of strings; one string is a list of one. Throws a ModelFileError. */
export const texts = (fields: JsonFields, key: string, fallback: string[]): string[] =>
  listOf(fields, key, fallback, (text) => typeof text === 'string', 'a list of strings') as string[];

function listOf(
  { json, wrong }: JsonFields,
  key: string,
  fallback: unknown[],
  isRight: (entry: unknown) => boolean,
  what: string,
): unknown[] {
  const value = json[key] ?? fallback;
  const list = typeof value === 'string' ? [value] : value;
  if (Array.isArray(list) && list.every(isRight)) return list;
  throw wrong(key, what);
}
