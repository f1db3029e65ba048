import type { Tokens } from '../api/calls';

/** Which text of a pair is cut when both are too long together: the longer one, or always the same. */
export type Truncation = 'longest_first' | 'only_first' | 'only_second';

export interface Tokenizer {
  /**
   * Text (or a pair) to ids with the special tokens of the post-processor.
   *
   * `tokens` are spelled as in the vocabulary ("ĠParis"; see `decodeToken`). `offsets` are UTF-16 offsets into the text as
   * it was given, whatever the normalizer made of it:
   * - special tokens that the post-processor added have [0, 0];
   * - whitespace at either end of a token is left out, unless the token has nothing else;
   * - an added token such as [MASK] covers exactly its own letters, not the whitespace that its `lstrip` takes in (Hugging
   *   Face's offsets include it), so that it can be replaced in place;
   * - a token with some bytes of a character covers the whole character, and one from a run of characters that the
   *   normalizer combined (e + U+0301) covers the whole run;
   * - a token that stands for nothing in the text (a prefix space) is empty: start equals end.
   *
   * Lone surrogates count as U+FFFD. `maxTokens` cuts the text to that many tokens, special tokens included; of a pair the
   * one that `truncation` says, by default the longer. Throws a RangeError where `maxTokens` leaves no room for the special
   * tokens and the text that is kept.
   */
  encode(text: string, pair?: string, maxTokens?: number, truncation?: Truncation): Tokens;
  /**
   * A token as a reader wants to see it: " Paris", not "ĠParis". Incomplete UTF-8 shows as U+FFFD; an id without a token
   * (embedding rows that only pad the vocabulary) is ''. Throws a RangeError for what cannot be an id.
   */
  decodeToken(id: number): string;
  /** The id of a token as the vocabulary spells it, added ones included; undefined where there is none. */
  tokenId(token: string): number | undefined;
  readonly maskTokenId: number | undefined;
  readonly maskToken: string | undefined;
  readonly clsTokenId: number | undefined;
  readonly sepTokenId: number | undefined;
  readonly padTokenId: number | undefined;
  /** Ids of the tokens that the files call special ([CLS], [SEP], [PAD], [MASK], [UNK], …). */
  readonly specialIds: ReadonlySet<number>;
}
