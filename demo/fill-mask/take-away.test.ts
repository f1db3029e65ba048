import { expect, it } from 'vitest';
import { fillCode, jsonOf, type Result, rowsOf, scoreCode } from './take-away';

const choice = { name: 'a/b', source: 'a/b' };
const filled: Result = {
  mode: 'fill',
  text: 'A [MASK].',
  masks: [
    {
      index: 2,
      start: 2,
      end: 8,
      candidates: [
        { token: ' cat', tokenId: 5, score: 0.5 },
        { token: ' dog', tokenId: 6, score: 0.25 },
      ],
    },
  ],
};
const scored: Result = {
  mode: 'surprise',
  texts: ['A cat.'],
  words: [
    [
      { start: 0, end: 1, tokens: [1], bits: [1], isWord: true },
      { start: 1, end: 5, tokens: [2, 3], bits: [2, 3], isWord: true },
      { start: 5, end: 6, tokens: [4], bits: [0], isWord: false },
    ],
  ],
};

it('gives code with the very text, candidates and words', () => {
  const { typescript, shell } = fillCode(choice, 'It’s a "[MASK]"', 2, []);
  expect(typescript).toContain('model.fillMask("It’s a \\"[MASK]\\"", { topK: 2 })');
  expect(shell).toBe(
    `npx modernbert-webgpu-cli fill-mask a/b --top-k 2 <<'END'\n{"text":"It’s a \\"[MASK]\\""}\nEND\n`,
  );
  const some = fillCode(choice, '[MASK]', 8, ['he', 'she', 'they']);
  expect(some.typescript).toContain('{ topK: 3, targets: ["he","she","they"] }');
  expect(some.shell).toContain("--top-k 3 --targets 'he,she,they'");
  expect(scoreCode(choice, ['one', 'two']).typescript).toContain('for (const text of ["one","two"]) {');
});

it('gives a row per candidate, or per word in the order of the text', () => {
  expect(rowsOf(filled)).toEqual([
    { mask: 1, start: 2, rank: 1, token: ' cat', probability: 0.5 },
    { mask: 1, start: 2, rank: 2, token: ' dog', probability: 0.25 },
  ]);
  expect(rowsOf(scored)).toEqual([
    { text: 1, start: 0, word: 'A', isWord: 'true', tokens: 1, bits: 1 },
    { text: 1, start: 1, word: 'cat', isWord: 'true', tokens: 2, bits: 5 },
    { text: 1, start: 5, word: '.', isWord: 'false', tokens: 1, bits: 0 },
  ]);
});

it('gives all that is known as JSON', () => {
  expect(jsonOf(filled)).toEqual({ text: 'A [MASK].', masks: filled.mode === 'fill' && filled.masks });
  expect(jsonOf(scored)).toMatchObject([
    {
      text: 'A cat.',
      bits: 6,
      words: 2,
      tokens: 4,
      bitsPerWord: 3,
      parts: [{ text: 'A' }, { text: ' cat', bits: [2, 3] }, { text: '.' }],
    },
  ]);
});
