import { type Module, type ReadModule, unchanged } from './module';
import { texts } from './multi-vector-mask';

/** A document's token embeddings in clusters, each one their mean (multi_vector_encoder/modules/token_pooling.py). */
export interface TokenPooling extends Module {
  kind: 'HierarchicalTokenPooling';
  /** About so many tokens per cluster. */
  pool_factor: number;
  /** So many tokens at the start stay as they are. */
  num_protected_tokens: number;
  normalize_embeddings: boolean;
  /** The kinds of texts that are pooled. */
  tasks: string[];
}

export const readTokenPooling: ReadModule = (fields, path, { feature }): TokenPooling => {
  const { number, boolean, wrong, unsupported } = fields;
  if (feature !== 'token_embeddings')
    throw unsupported('HierarchicalTokenPooling', `there are no tokens left (${feature})`);
  const pool_factor = number('pool_factor', 1);
  if (pool_factor < 1) throw wrong('pool_factor', 'a number of at least 1');
  const num_protected_tokens = number('num_protected_tokens', 1);
  if (!Number.isInteger(num_protected_tokens) || num_protected_tokens < 0) {
    throw wrong('num_protected_tokens', 'a whole number');
  }
  return {
    kind: 'HierarchicalTokenPooling',
    path,
    gives: feature,
    pool_factor,
    num_protected_tokens,
    normalize_embeddings: boolean('normalize_embeddings', false), // files of the versions without the field
    tasks: texts(fields, 'tasks', ['document']),
    ...unchanged,
  };
};
