import { masksIn } from './parts';

/** What is known of a mask besides its place: the word it hides, and the token chosen for it. */
export interface MaskNote {
  original?: string;
  chosen?: string;
}

/**
 * The notes on the masks of a text, in their order, as they are on the masks of what the text became: masks before and after the changed
 * part keep theirs, others have none.
 */
export function carriedNotes(before: string, notes: MaskNote[], after: string, maskToken: string): MaskNote[] {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  const old = new Map(masksIn(before, maskToken).map(({ start, end }, i) => [start, { end, note: notes[i] }]));
  return masksIn(after, maskToken).map(({ start, end }) => {
    if (end <= head) return old.get(start)?.note ?? {};
    if (start >= after.length - tail) return old.get(start + before.length - after.length)?.note ?? {};
    return {};
  });
}
