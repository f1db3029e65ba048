import { isObject, type Json } from '../formats/json-fields';
import type { Truncation } from './types';
import { unsupportedTokenizer, wrongTokenizer } from './wrong';

/** A text (by its number) or a special token, and the type of its tokens. */
export type TemplateItem = { type: number } & ({ text: number } | { token: string; id: number });

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

/** What the parts of a post-processor make of one text or a pair. */
export function readTemplate(
  postProcessor: readonly Json[],
  isPair: boolean,
  idOf: (token: string) => number | undefined,
): TemplateItem[] {
  const adding = postProcessor.filter(({ type }) => type !== 'ByteLevel');
  if (adding.length > 1) {
    throw unsupportedTokenizer('post_processor', adding, 'only one of its parts may add tokens');
  }
  const special = (token: string, type = 0): TemplateItem => {
    const id = idOf(token);
    if (id === undefined) throw wrongTokenizer('a token of post_processor', token, 'a token of the vocabulary');
    return { token, id, type };
  };
  const [text, other] = [0, 1].map((number) => ({ text: number, type: number }));
  if (adding.length === 0) return isPair ? [text, other] : [text]; // a pair stays unjoined
  const { type, single, pair, sep, cls } = adding[0];
  if (type === 'TemplateProcessing') {
    return ((isPair ? pair : single) as Record<string, Json>[]).map(({ SpecialToken, Sequence }) =>
      SpecialToken
        ? special(SpecialToken.id as string, Number(SpecialToken.type_id))
        : { text: Number(Sequence.id === 'B'), type: Number(Sequence.type_id) },
    );
  }
  const [before, after] = [cls, sep].map((entry) => (entry as [string, unknown])[0]);
  const [first, last] = [special(before), special(after)];
  if (!isPair) return [first, text, last];
  return type === 'RobertaProcessing'
    ? [first, text, last, last, { ...other, type: 0 }, last]
    : [first, text, last, other, special(after, 1)];
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
