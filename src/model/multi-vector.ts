/** How a multi-vector (ColBERT) checkpoint turns texts into tokens, in the files of sentence-transformers 6 and of PyLate. */
import type { Kind } from '../api/embeddings';
import type { TokenPooling } from './modules/token-pooling';

/** Lengths count every token. */
export interface MultiVectorConfig {
  /** Tokens that PyLate puts after the first one; sentence-transformers 6 has prompts instead. */
  prefixes: Record<Kind, string>;
  /** Most tokens; undefined is the model's limit. */
  lengths: Record<Kind, number | undefined>;
  /** Fills a query up to `length` with a token. */
  expansion: Expansion | undefined;
  skiplist_words: string[];
  skiplist_tasks: string[];
  keep_only_token_ids: number[] | undefined;
  /** Whether embeddings have unit length: PyLate normalises after the modules. */
  normalizes: boolean;
  pooling: TokenPooling | undefined;
}

export interface Expansion {
  length: number;
  /** Whether tokens attend to the filling. */
  attend: boolean;
  /** Default: the mask token. */
  token: string | undefined;
  /** `fixed`: longer queries are cut to `length`. `min`: they stay. */
  strategy: 'fixed' | 'min';
}

/** Most tokens of a query or document. `most`: the model's positions. */
export function multiVectorLength(
  { lengths, expansion }: MultiVectorConfig,
  kind: Kind,
  usual: number,
  most = usual,
): number {
  const own = lengths[kind];
  if (kind === 'document' || !expansion) return Math.min(own ?? usual, most);
  const { strategy, length } = expansion;
  return Math.min(strategy === 'fixed' ? length : Math.max(own ?? usual, length), most);
}
