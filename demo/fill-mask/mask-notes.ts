import { commonEnds } from './common-ends';
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
  const { head, tail } = commonEnds(before, after);
  const old = new Map(masksIn(before, maskToken).map(({ start, end }, i) => [start, { end, note: notes[i] }]));
  return masksIn(after, maskToken).map(({ start, end }) => {
    if (end <= head) return old.get(start)?.note ?? {};
    if (start >= after.length - tail) return old.get(start + before.length - after.length)?.note ?? {};
    return {};
  });
}
