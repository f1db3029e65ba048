import type { PostProcessor } from '@huggingface/tokenizers';
import { fileError } from './files';
import type { Truncation } from './types';

/** A text (by its number) or a special token. */
export type TemplateItem = number | { token: string; id: number };

/** What a post-processor makes of one text or a pair, found by handing it two marks in the place of tokens. */
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
    if (id === undefined)
      throw fileError('tokenizer.json', 'a token of post_processor', token, 'a token of the vocabulary');
    return { token, id };
  });
}

export const specialCount = (template: readonly TemplateItem[]): number =>
  template.filter((item) => typeof item !== 'number').length;

/** Lengths of one text or a pair within `room` tokens, cut by Hugging Face's rules. */
export function cutToLength(
  lengths: readonly number[],
  room: number,
  truncation: Truncation = 'longest_first',
): number[] {
  if (lengths.length === 1) return [Math.min(lengths[0], room)];
  const [first, second] = lengths;
  if (first + second <= room) return [first, second];
  if (truncation !== 'longest_first') {
    const kept = truncation === 'only_first' ? second : first;
    if (kept >= room) {
      throw new RangeError(
        `encode: the ${truncation === 'only_first' ? 'second' : 'first'} text has ${kept} tokens, which leaves none of ${room} to the other; it must not be cut`,
      );
    }
    return truncation === 'only_first' ? [room - kept, kept] : [kept, room - kept];
  }
  const half = Math.floor(room / 2);
  if (first <= half) return [first, room - first];
  if (second <= half) return [room - second, second];
  return first <= second ? [half, room - half] : [room - half, half];
}
