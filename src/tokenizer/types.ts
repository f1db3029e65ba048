import type { Tokens } from '../api';

export interface Tokenizer {
  /** Text (or a pair) to ids with the special tokens of the post-processor. */
  encode(text: string, pair?: string): Tokens;
  /** A token as a reader wants to see it: " Paris", not "ĠParis". */
  decodeToken(id: number): string;
  readonly maskTokenId: number | undefined;
  readonly maskToken: string | undefined;
  readonly clsTokenId: number | undefined;
  readonly sepTokenId: number | undefined;
  readonly padTokenId: number | undefined;
  /** Ids that carry no text ([CLS], [SEP], [PAD], …). */
  readonly specialIds: ReadonlySet<number>;
}
