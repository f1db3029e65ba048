import { unwrapped } from '../long/passages';

/** A stretch of a text, UTF-16 offsets. */
interface Span {
  start: number;
  end: number;
}

/** Characters that are looked through on either side for the ends of the sentences that a passage begins and ends in. */
const REACH = 300;
const segmenter = new Intl.Segmenter('und', { granularity: 'sentence' });

/**
 * A passage in whole sentences: indexes cut at a number of tokens, wherever that is. Begins with the sentence in which the passage begins, and ends with
 * the one in which it ends, without white space around it. An end that is farther away stays where it was, with an ellipsis.
 */
export function wholeSentences(text: string, { start, end }: Span): string {
  const from = Math.max(0, start - REACH);
  const to = Math.min(text.length, end + REACH);
  const begin = start + text.slice(start, end).search(/\S|$/);
  const finish = start + text.slice(start, end).trimEnd().length;
  if (finish <= begin) return '';
  let [first, last] = [begin, finish];
  let [isBegun, isEnded] = [false, false];
  for (const { index, segment } of segmenter.segment(unwrapped(text.slice(from, to)))) {
    const span = { start: from + index, end: from + index + segment.length };
    // What begins or ends with what was looked through may go on beyond it.
    if (span.start <= begin && begin < span.end && (span.start > from || from === 0)) {
      first = span.start;
      isBegun = true;
    }
    if (span.start < finish && finish <= span.end && (span.end < to || to === text.length)) {
      last = span.end;
      isEnded = true;
    }
  }
  return `${isBegun ? '' : '… '}${text.slice(first, last).trim()}${isEnded ? '' : ' …'}`;
}

/** Where the sentence begins that a character of a text is in. */
export function sentenceStart(text: string, at: number): number {
  let start = 0;
  for (const { index } of segmenter.segment(unwrapped(text))) {
    if (index > at) break;
    start = index;
  }
  return start;
}
