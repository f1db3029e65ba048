import { expect, it } from 'vitest';
import { judged } from './judge';
import type { Hit } from './passages';

const BOUNDS = { likely: 0.6, maybe: 0.4 };
const TEXT = 'A wall hung with clubs. With this lance did Nathan Swain kill fifteen whales.';
const SWAIN = { start: TEXT.indexOf('With this'), end: TEXT.length };
const hit = (similarity?: number, passage = { start: 0, end: 23 }): Hit => ({
  id: 'inn',
  text: TEXT,
  metadata: { file: 'book', place: '', start: 0 },
  score: 1,
  similarity,
  passage,
});
const said = (hits: Hit[], byWords: Hit[], query: string) =>
  judged(hits, byWords, query, BOUNDS).map(({ judgement }) => judgement);

it('judges by the cosine, and says nothing where there is none or nobody knows what it means', () => {
  expect(said([hit(0.6), hit(0.59), hit(0.4), hit(0.39), hit()], [], 'weapons')).toEqual([
    'likely',
    'maybe',
    'maybe',
    'unlikely',
    undefined,
  ]);
  expect(judged([hit(0.1)], [], 'weapons', undefined)[0].judgement).toBeUndefined();
});

it('says that a passage has all of the words, unless its meaning is likely', () => {
  expect(said([hit(0.1, SWAIN)], [], 'Nathan Swain')).toEqual(['same words']);
  expect(said([hit(0.1, SWAIN)], [], 'Nathan Coffin')).toEqual(['unlikely']);
  expect(said([hit(0.5, SWAIN)], [], 'Nathan Swain')).toEqual(['same words']);
  expect(said([hit(0.5, SWAIN)], [], 'Nathan Coffin')).toEqual(['maybe']);
  expect(said([hit(0.7, SWAIN)], [], 'Nathan Swain')).toEqual(['likely']);
  expect(said([hit(0.1, SWAIN)], [], '')).toEqual(['unlikely']);
});

it('shows the passage that has the words in the place of an unlikely one, without the cosine of that', () => {
  const [{ hit: shown, judgement }] = judged([hit(0.1)], [hit(undefined, SWAIN)], 'Nathan Swain', BOUNDS);
  expect([shown.passage, shown.similarity, judgement]).toEqual([SWAIN, undefined, 'same words']);
  const other = { ...hit(undefined, SWAIN), id: 'another document' };
  expect(said([hit(0.1)], [other], 'Nathan Swain')).toEqual(['unlikely']);
});
