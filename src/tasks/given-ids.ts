/** Texts that are given as token ids. */
import type { Tokens } from '../api/calls';
import type { EmbedOptions, TokenIds } from '../api/embeddings';
import { type Parts, tokenizerOf } from './common';
import { integers } from './forward';

/**
 * The tokens of the texts that are given as ids. Ids without the special tokens around them are refused: most likely another
 * tokenizer made them, and they would silently give the embedding of something else.
 */
export function tokensOfIds(
  parts: Parts,
  list: (string | TokenIds)[],
  { truncate, chunks }: EmbedOptions,
  prompt: string,
): (Tokens | undefined)[] {
  const { before, after } = specialTokens(parts);
  const { maxTokens } = parts.info;
  const last = parts.config.vocab_size - 1;
  return list.map((text, i) => {
    if (typeof text !== 'object') return undefined;
    if (text === null || !('ids' in text)) {
      throw new TypeError(`Text ${i} must be a string or { ids }, it is ${text === null ? 'null' : 'another object'}.`);
    }
    if (prompt) throw new RangeError(`Text ${i} is token ids, which no prompt can be put before: pass prompt: ''.`);
    if (chunks) throw new RangeError(`Text ${i} is token ids, which have no chunks: pass it as a string.`);
    const ids = integers(text.ids, `ids of text ${i}`);
    const high = ids.find((id) => id > last);
    const end = ids.length - after.length;
    const isWhole = before.every((id, at) => ids[at] === id) && after.every((id, at) => ids[end + at] === id);
    if (high !== undefined || !isWhole || ids.length === 0 || end < before.length) {
      throw new RangeError(
        `The ids of text ${i} ${high === undefined ? 'lack the special tokens around a text' : `have ${high}, and the vocabulary ends at ${last}`}. They must be this model's, as tokenize returns them: ids that begin with [${before}] and end with [${after}]. Or pass the text as a string.`,
      );
    }
    const isCut = truncate && ids.length > maxTokens;
    return withIds(isCut ? Uint32Array.from([...ids.subarray(0, maxTokens - after.length), ...after]) : ids);
  });
}

/** What the tokenizer puts around a text. */
function specialTokens(parts: Parts): { before: number[]; after: number[] } {
  const { ids, sequenceIds } = tokenizerOf(parts).encode('a');
  const isText = (sequence: number) => sequence >= 0;
  return {
    before: [...ids.subarray(0, sequenceIds.findIndex(isText))],
    after: [...ids.subarray(sequenceIds.findLastIndex(isText) + 1)],
  };
}

const withIds = (ids: Uint32Array): Tokens => ({
  ids,
  tokens: [],
  offsets: [],
  wordIds: new Int32Array(),
  sequenceIds: new Int32Array(),
  tokenTypeIds: new Uint32Array(ids.length),
});
