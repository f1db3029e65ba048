/** What every load does after its weights have begun to come: a part of the worker, of which the tokenizer is most. */
import { fieldsOf, isObject } from '../formats/json-fields';
import type { ModelConfig } from '../model/config';
import type { GlinerCheckpoint } from '../model/gliner/gliner';
import type { SentenceConfig } from '../model/sentence';
import { promptNamesOf } from '../tasks/prompt-names';
import { warmUp } from '../tasks/warm-up';
import { lowercased } from '../tokenizer/lowercased';
import { checkTokenIds, createTokenizer } from '../tokenizer/tokenizer';
import type { Tokenizer } from '../tokenizer/types';
import { spacesOf } from './embedding-space';
import { createEngine } from './engine';

export const everyLoad = {
  checkTokenIds,
  createEngine,
  createTokenizer,
  maxTokensOf,
  promptNamesOf,
  spacesOf,
  tokenizerOf,
  warmUp,
};

/** A tokenizer whose tokens the model has embeddings for. GLiNER adds tokens for prompts to that of a bi-encoder too, which never sees one. */
function tokenizerOf(
  json: unknown,
  config: unknown,
  { vocab_size }: ModelConfig,
  sentence?: SentenceConfig,
  gliner?: GlinerCheckpoint,
): Tokenizer {
  const cased = sentence?.do_lower_case ? lowercased(json) : json;
  const tokenizer = createTokenizer(gliner?.labels ? withoutAdded(cased, vocab_size) : cased, config);
  checkTokenIds(tokenizer, vocab_size);
  return tokenizer;
}

/** tokenizer.json without the added tokens from an id on. */
const withoutAdded = (json: unknown, first: number): unknown =>
  isObject(json) && Array.isArray(json.added_tokens)
    ? { ...json, added_tokens: json.added_tokens.filter((token) => !(isObject(token) && Number(token.id) >= first)) }
    : json;

/**
 * Tokens of the longest sequence: as asked; else max_seq_length of sentence_bert_config.json; else the tokenizer's model_max_length, which is
 * where sentence-transformers 5.4 and later keep it. Never more than the model has positions.
 */
function maxTokensOf(
  asked: number | undefined,
  { max_position_embeddings: most }: ModelConfig,
  { max_seq_length }: SentenceConfig,
  tokenizerConfig: unknown,
): number {
  if (asked !== undefined) {
    if (Number.isInteger(asked) && asked >= 1 && asked <= most) return asked;
    throw new RangeError(`maxLength must be an integer from 1 to the model's ${most} positions, it is ${asked}.`);
  }
  const { has, integer } = fieldsOf('tokenizer_config.json', tokenizerConfig ?? undefined);
  const own = has('model_max_length') ? integer('model_max_length', undefined, Infinity) : Infinity;
  return Math.min(most, max_seq_length ?? own);
}
