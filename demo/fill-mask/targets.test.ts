import { expect, it } from 'vitest';
import type { Candidate, Model } from '../../src/index';
import { amongThemselves, parseTargets, ratioText, usableTargets } from './targets';

const candidate = (token: string, score: number): Candidate => ({ token, tokenId: 0, score });

it('reads a list of words', () => {
  expect(parseTargets(' he, she;he\n they ,,')).toEqual(['he', 'she', 'they']);
  expect(parseTargets(' , ')).toEqual([]);
});

it('gives shares among the targets, and keeps what they are of all words', () => {
  expect(amongThemselves([candidate(' he', 0.03), candidate(' she', 0.01)])).toEqual([
    { token: ' he', share: 0.75, note: 'raw 3.00%' },
    { token: ' she', share: 0.25, note: 'raw 1.00%' },
  ]);
  expect(amongThemselves([candidate(' he', 0)])[0].share).toBe(0);
});

it('says how much likelier the first is than the second', () => {
  const of = (...candidates: Candidate[]) => ratioText({ index: 0, start: 0, end: 6, candidates });
  expect(of(candidate(' he', 0.03), candidate(' she', 0.01), candidate(' it', 0))).toBe(
    'Shares among these words; raw: of all words. “he” is 3.0 times as likely as “she”.',
  );
  expect(of(candidate(' he', 0.03))).toBe('Shares among these words; raw: of all words.');
});

it('leaves out what is not one token where a mask stands, and names its pieces', async () => {
  // A tokenizer that has " nurse" but not "nurse", and no "midwife".
  const model = {
    async tokenize(text: string) {
      const cuts = text.endsWith('midwife') ? [text.length - 4] : text === 'nurse' ? [2] : [];
      const ends = [...cuts, text.length];
      return { offsets: [[0, 0], ...ends.map((end, i) => [cuts[i - 1] ?? 0, end]), [0, 0]] };
    },
  } as unknown as Model;
  const spaced = [{ start: 2, end: 8 }];
  expect(await usableTargets(model, 'A [MASK]', spaced, ['nurse', 'midwife'])).toEqual({
    usable: ['nurse'],
    problems: ['“midwife” is 2 tokens of this model (mid + wife) and a mask stands for one: left out.'],
  });
  const atStart = await usableTargets(
    model,
    '[MASK] and [MASK]',
    [
      { start: 0, end: 6 },
      { start: 11, end: 17 },
    ],
    ['nurse'],
  );
  expect(atStart.problems).toEqual([
    '“nurse” is 2 tokens of this model (nu + rse) and a mask stands for one: left out.',
  ]);
});
