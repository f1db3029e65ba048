import { expect, it } from 'vitest';
import type { EmbedOptions, Model } from '../../src/index';
import { prepare, readPassages, windowsFor } from './read';

/** A token for each word, whose vector is the word's number and 1. */
const wordsOf = (text: string) => [...text.matchAll(/\S+/g)];
const vectorOf = (word: string) => [Number(word.replace(/\D/g, '')), 1];
const meanOf = (words: string[]) =>
  [0, 1].map((i) => words.reduce((sum, word) => sum + vectorOf(word)[i], 0) / words.length);

/** A model of plain arithmetic that pools as late chunking does: the mean of the tokens that begin in a chunk. */
const plainModel = (maxTokens: number) =>
  ({
    info: { maxTokens, maxTokensPerPass: maxTokens, prompts: {}, promptNames: {} },
    async tokenize(text: string) {
      const words = wordsOf(text);
      const offsets = words.map(({ index, 0: word }) => [index, index + word.length]);
      return { ids: new Uint32Array(words.length + 2), offsets: [[0, 0], ...offsets, [0, 0]] };
    },
    async embed(text: string, { chunks = [] }: EmbedOptions) {
      const words = wordsOf(text);
      if (words.length + 2 > maxTokens) throw new RangeError(`${words.length + 2} tokens, the limit is ${maxTokens}.`);
      const rows = (chunks as { start: number; end: number }[]).map(({ start, end }) => {
        const own = words.filter(({ index }) => index >= start && index < end);
        if (own.length === 0) throw new RangeError('A chunk has no token that begins in it.');
        return meanOf(own.map(([word]) => word));
      });
      return { data: Float32Array.from(rows.flat()), rows: rows.length, dim: 2 };
    },
  }) as unknown as Model;

const numbers = Array.from({ length: 900 }, (_, i) => i);
const text = numbers.map((n) => (n % 9 === 8 ? `w${n}.${n % 45 === 44 ? '\n\n' : ''}` : `w${n}`)).join(' ');
const signal = new AbortController().signal;

it.each([8192, 256, 60])(
  'every passage and sentence has the mean of its own tokens, with windows of %i tokens',
  async (limit) => {
    const model = plainModel(limit);
    const { passages, tokens, room, end } = await prepare(model, text, signal, () => {});
    expect([tokens, end]).toEqual([900, text.length]);
    const windows = windowsFor(passages, room);
    expect(windows.length > 1).toBe(limit < 900);
    const read: number[] = [];
    const vectors = await readPassages(model, text, passages, windows, {
      signal,
      onPass: ({ tokens }) => read.push(tokens),
    });
    expect(read).toEqual(windows.map(({ tokens }) => tokens));
    const expected = (spans: { start: number; end: number }[]) =>
      spans.flatMap(({ start, end }) => meanOf(wordsOf(text.slice(start, end)).map(([word]) => word))).map(Math.fround);
    expect([...vectors.passages.data]).toEqual(expected(passages));
    expect([...vectors.sentences.data]).toEqual(expected(passages.flatMap(({ sentences }) => sentences)));
  },
);

it('reads no more than 65,536 tokens, and says where it stopped', async () => {
  const long = 'word '.repeat(80_000);
  const { tokens, end } = await prepare(plainModel(8192), long, signal, () => {});
  expect(tokens).toBeLessThanOrEqual(65_536);
  expect(tokens).toBeGreaterThan(65_000);
  expect(wordsOf(long.slice(0, end)).length).toBe(tokens);
});

it('stops where it is told to, and wants a text', async () => {
  const stop = new AbortController();
  stop.abort();
  await expect(prepare(plainModel(8192), text, stop.signal, () => {})).rejects.toThrow('abort');
  await expect(prepare(plainModel(8192), ' \n', signal, () => {})).rejects.toThrow(/^There is no text yet/);
});

it.each([8192, 60])(
  'reads words that are longer than what is tokenized at a time, with %i tokens per pass',
  async (limit) => {
    const model = plainModel(limit);
    const long = `7${'x'.repeat(12_000)} ${'w1 '.repeat(100)}${'8y'.repeat(9000)} end.`;
    const { passages, room } = await prepare(model, long, signal, () => {});
    const windows = windowsFor(passages, room);
    const { sentences } = await readPassages(model, long, passages, windows, { signal, onPass: () => {} });
    expect(sentences.data.length).toBe(2 * passages.flatMap((passage) => passage.sentences).length);
    // The second piece of the first word has the vector of that word.
    const rows = passages[0].sentences
      .filter(({ end }) => end <= 12_001)
      .map((_, i) => [...sentences.data.slice(2 * i, 2 * i + 2)]);
    expect(rows.length).toBeGreaterThan(1);
    expect(rows.every((row) => row[0] === 7)).toBe(true);
  },
);
