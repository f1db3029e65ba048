import { describe, expect, it } from 'vitest';
import { seededRandom } from '../seeded-random';
import { tagsOf, viterbi } from './label-scheme';

/** What the schemes allow, written out: each label's string must match one of these texts of whole entities. */
const SCHEMES: [name: string, labels: string[], legal: RegExp][] = [
  ['BIO', ['O', 'B-X', 'I-X', 'B-Y', 'I-Y'], /^(O |B-X (I-X )*|B-Y (I-Y )*)*$/],
  ['BIOES', ['O', 'B-X', 'I-X', 'E-X', 'S-X'], /^(O |S-X |B-X (I-X )*E-X )*$/],
  ['BILOU', ['O', 'B-X', 'I-X', 'L-X', 'U-X'], /^(O |U-X |B-X (I-X )*L-X )*$/],
  ['BMES', ['O', 'B-X', 'M-X', 'E-X', 'S-X'], /^(O |S-X |B-X (M-X )*E-X )*$/],
  ['IOE', ['O', 'I-X', 'E-X'], /^(O |(I-X )*E-X )*$/],
  ['BIOE without whole ones', ['O', 'B-X', 'I-X', 'E-X'], /^(O |B-X |B-X (I-X )*E-X )*$/],
  ['IO', ['O', 'I-X', 'I-Y'], /^(O |I-X |I-Y )*$/],
  ['none', ['NOUN', 'VERB', 'E-mail'], /./],
];

function* sequences(labels: number, length: number): Generator<number[]> {
  if (length === 0) yield [];
  else for (const rest of sequences(labels, length - 1)) for (let l = 0; l < labels; l++) yield [...rest, l];
}

const random = seededRandom(1);

describe('viterbi', () => {
  it.each(SCHEMES)('finds the most likely of all sequences that %s allows', (_, labels, legal) => {
    for (let round = 0; round < 20; round++) {
      const scores = Array.from({ length: 5 }, () => labels.map(() => random() ** 3));
      let best = { sum: -Infinity, path: [] as number[] };
      for (const path of sequences(labels.length, 5)) {
        if (!legal.test(path.map((l) => `${labels[l]} `).join(''))) continue;
        const sum = path.reduce((total, l, r) => total + Math.log(scores[r][l]), 0);
        if (sum > best.sum) best = { sum, path };
      }
      expect(viterbi(scores, tagsOf(labels))).toEqual(best.path);
    }
  });

  it('takes the best label of each row where no sequence is allowed', () => {
    expect(viterbi([[1], [1]], tagsOf(['I-X']))).toEqual([0, 0]);
    const onlyInside = tagsOf(['B-X', 'I-X']);
    expect(viterbi([[0, 1]], onlyInside)).toEqual([1]);
    expect(viterbi([], onlyInside)).toEqual([]);
  });
});
