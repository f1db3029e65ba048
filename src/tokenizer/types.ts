import type { Tokens } from '../api/calls';

/** Which text of a pair is cut when both together are too long: the longer one, or always the same one. */
export type Truncation = 'longest_first' | 'only_first' | 'only_second';

export interface Tokenizer {
  /**
   * Encodes a text, or a pair, with the special tokens of the post-processor.
   *
   * `tokens` are spelled as in the vocabulary ("ĠParis"; see `decodeToken`). `offsets` are UTF-16 offsets into the original
   * text, whatever the normalizer made of it:
   * - special tokens that the post-processor added have [0, 0];
   * - whitespace at either end of a token is left out, unless the token is only whitespace;
   * - an added token such as [MASK] covers exactly its letters, without the whitespace that its `lstrip` consumes (Hugging
   *   Face's offsets include it), so that it can be replaced in place;
   * - a token with some bytes of a character covers the whole character, and one from a run of characters that the
   *   normalizer combined (e + U+0301) covers the whole run;
   * - a token that stands for nothing in the text (a prefix space) is empty: start equals end.
   *
   * Lone surrogates count as U+FFFD. `maxTokens` cuts the text to that many tokens, special tokens included; of a pair it cuts
   * the text that `truncation` names, by default the longer one. Throws a RangeError if `maxTokens` leaves no room for the
   * special tokens and the text that must not be cut.
   */
  encode(text: string, pair?: string, maxTokens?: number, truncation?: Truncation): Tokens;
  /**
   * Encodes words that are given one by one, each as a text of its own, with the special tokens (is_split_into_words of transformers).
   * `words`: per token the index of its word, -1 for special tokens.
   */
  encodeWords(words: string[], maxTokens?: number): { ids: Uint32Array<ArrayBuffer>; words: Int32Array<ArrayBuffer> };
  /**
   * A token as readable text: " Paris", not "ĠParis". Incomplete UTF-8 shows as U+FFFD; an id without a token (embedding rows
   * that only pad the vocabulary) is ''. Throws a RangeError for a negative or fractional id.
   */
  decodeToken(id: number): string;
  /** The id of a token, spelled as in the vocabulary and including added tokens; undefined if there is none. */
  tokenId(token: string): number | undefined;
  /** The token of the highest id; undefined if there are no tokens. */
  readonly last: { token: string; id: number } | undefined;
  readonly maskTokenId: number | undefined;
  readonly maskToken: string | undefined;
}
