import { expect, it } from 'vitest';
import { carriedNotes, type MaskNote } from './mask-notes';

const MASK = '[MASK]';
const [a, b]: MaskNote[] = [{ original: 'France' }, { original: 'Paris', chosen: ' Rome' }];
const carried = (before: string, notes: MaskNote[], after: string) => carriedNotes(before, notes, after, MASK);

it('keeps what is known of the masks that a change left alone', () => {
  const text = 'Of [MASK] it is [MASK].';
  expect(carried(text, [a, b], 'Oh, of [MASK] it is [MASK].')).toEqual([a, b]);
  expect(carried(text, [a, b], 'Of [MASK] it was [MASK].')).toEqual([a, b]);
  expect(carried(text, [a, b], 'Of Spain it is [MASK].')).toEqual([b]);
  expect(carried(text, [a, b], 'Of [MASK] it is Rome.')).toEqual([a]);
  expect(carried(text, [a, b], 'Something else [MASK]')).toEqual([{}]);
});

it('knows nothing of a new mask, and everything still of those around it', () => {
  expect(carried('Of [MASK] it is [MASK].', [a, b], 'Of [MASK] [MASK] is [MASK].')).toEqual([a, {}, b]);
  expect(carried('[MASK]', [a], '[MASK][MASK]')).toEqual([a, {}]);
  expect(carried('', [], '[MASK]')).toEqual([{}]);
});
