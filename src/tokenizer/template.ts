import type { PostProcessor } from '@huggingface/tokenizers';
import { isObject, type Json } from '../formats/json-fields';
import type { Truncation } from './types';
import { wrongTokenizer } from './wrong';

/** A text (by its number) or a special token. */
export type TemplateItem = number | { token: string; id: number };

/** Throws a ModelFileError for a special token that is not in the vocabulary, or has another id there. */
export function checkSpecialTokens(postProcessor: Json[], idOf: (token: string) => number | undefined): void {
  const check = (field: string, value: unknown, token: string, ids: unknown, tokens: unknown) => {
    const id = idOf(token);
    if (id === undefined) throw wrongTokenizer('a token of post_processor', token, 'a token of the vocabulary');
    if (JSON.stringify([ids, tokens]) !== JSON.stringify([[id], [token]])) {
      throw wrongTokenizer(`post_processor: ${field}`, value, `token ${JSON.stringify(token)} with its id ${id}`);
    }
  };
  for (const { type, single, pair, special_tokens, sep, cls } of postProcessor) {
    if (sep && cls) {
      for (const [field, value] of Object.entries({ sep, cls })) {
        const [token, id] = value as [string, unknown];
        check(field, value, token, [id], [token]);
      }
    }
    if (type !== 'TemplateProcessing' || !isObject(special_tokens)) continue;
    if (Object.keys(special_tokens).length === 0) continue; // the vocabulary has them
    for (const item of [...(single as Json[]), ...(pair as Json[])]) {
      if (!isObject(item.SpecialToken)) continue;
      const token = String(item.SpecialToken.id);
      const entry = Object.hasOwn(special_tokens, token) ? special_tokens[token] : undefined;
      const { ids, tokens } = isObject(entry) ? entry : {};
      check(`special_tokens[${JSON.stringify(token)}]`, entry, token, ids, tokens);
    }
  }
}

/** What a post-processor makes of one text or a pair, found by passing it a mark in place of each text's tokens. */
export function readTemplate(
  postProcessor: PostProcessor,
  isPair: boolean,
  idOf: (token: string) => number | undefined,
): TemplateItem[] {
  const marks = ['\0text', '\0pair'];
  const texts = marks.slice(0, isPair ? 2 : 1);
  const { tokens } = postProcessor.post_process([marks[0]], isPair ? [marks[1]] : null);
  // A post-processor that adds nothing (ByteLevel, or none) leaves a pair unjoined.
  const joined = [...tokens, ...texts.filter((mark) => !tokens.includes(mark))];
  return joined.map((token) => {
    const text = marks.indexOf(token);
    if (text >= 0) return text;
    const id = idOf(token);
    if (id === undefined) throw wrongTokenizer('a token of post_processor', token, 'a token of the vocabulary');
    return { token, id };
  });
}

/** Lengths of one text or a pair, cut to `room` tokens by Hugging Face's rules. */
export function cutToLength(
  lengths: readonly number[],
  room: number,
  truncation: Truncation = 'longest_first',
): number[] {
  if (lengths.length === 1) return [Math.min(lengths[0], room)];
  const [first, second] = lengths;
  if (first + second <= room) return [first, second];
  if (truncation !== 'longest_first') {
    const [kept, name] = truncation === 'only_first' ? [second, 'second'] : [first, 'first'];
    if (kept >= room) {
      throw new RangeError(
        `encode: the ${name} text has ${kept} tokens, which leaves none of ${room} for the other; '${truncation}' does not cut it`,
      );
    }
    return truncation === 'only_first' ? [room - kept, kept] : [kept, room - kept];
  }
  const half = Math.floor(room / 2);
  if (first <= half) return [first, room - first];
  if (second <= half) return [room - second, second];
  return first <= second ? [half, room - half] : [room - half, half];
}
