import { expect, it } from 'vitest';
import type { Model } from '../src/api/types';
import { agreement, cosines, maskedTokens, paragraphs } from './agreement';

it('cosines of rows', () => {
  const { cosine_mean, cosine_min } = cosines(Float32Array.of(1, 0, 3, 4), Float32Array.of(2, 0, 4, 3), 2);
  expect(cosine_min).toBeCloseTo(0.96);
  expect(cosine_mean).toBeCloseTo(0.98);
});

it('agreement with the reference and with what is right', () => {
  const logits = Float32Array.of(0, Math.log(3), 5, 1);
  const result = agreement(logits, Float32Array.of(1, 2, 0, 1), [0, 0]);
  expect(result).toMatchObject({ top1_agreement: 0.5, top1_accuracy: 0.5 });
  expect(result.cross_entropy).toBeCloseTo((Math.log(4) + Math.log(1 + Math.exp(-4))) / 2);
});

it('paragraphs of prose', () => {
  const prose = Array.from({ length: 25 }, (_, i) => `word${i}`).join(' ');
  const text = `# ${prose}\n\n${prose.replace(' word9 ', '\n  word9 ')}\n\n| ${prose} |\n\n    ${prose}\n    code\n\nshort\n`;
  expect(paragraphs(text)).toEqual([prose]);
});

it('masks about 15% of the words, and no special token', async () => {
  const model = {
    info: { maskToken: '[MASK]' },
    tokenize: async (text: string) => {
      const words = text === '[MASK]' ? [99] : text.split(' ').map(Number);
      return {
        ids: Uint32Array.of(1, ...words, 2),
        offsets: [[0, 0], ...words.map((_, i) => [i, i + 1]), [0, 0]],
      };
    },
  } as unknown as Model;
  const words = Array.from({ length: 500 }, (_, i) => 100 + i).join(' ');
  const { inputIds, lengths, rows, targets } = await maskedTokens(model, [words, words]);
  expect(lengths).toEqual(Uint32Array.of(502, 502));
  expect(rows.length / 1000).toBeCloseTo(0.15, 1);
  expect(targets).toEqual(rows.map((row) => 100 + (row % 502) - 1));
  expect([...inputIds.entries()].filter(([, id]) => id === 99).map(([row]) => row)).toEqual(rows);
});
