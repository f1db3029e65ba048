import { describe, expect, it } from 'vitest';
import { modernbertFile } from '../tokenizer/fixtures/load';
import { createTokenizer } from '../tokenizer/tokenizer';
import { callsOn, nanoTokenizer } from './fixtures';

const noAnswer = () => [];
const { calls } = callsOn('encoder', { max_position_embeddings: 64 }, noAnswer);
const tokenizer = nanoTokenizer();

const PROSE = Array.from(
  { length: 40 },
  (_, i) => `Sentence ${i} isn't long, but it's here;  and\tthe next one\nfollows.`,
).join(' ');
const HARD = [
  '👩‍👩‍👧‍👦'.repeat(60),
  '東京都に行きました。とても楽しかったです。'.repeat(12),
  `naïve ${'e\u0301'.repeat(90)} Ämter\u00a0${'\u200b'.repeat(20)}\u0000\u0007 end`,
  `https://example.org/${'a/b-c_d%20?q=1&'.repeat(30)}#x`,
  `${' '.repeat(90)}lost${'\n'.repeat(70)}found${'\t '.repeat(50)}`,
  `\ud800 lone ${'\udc00x'.repeat(70)}`,
  'a'.repeat(700),
];

describe('chunk', () => {
  it.each([
    [64, 0],
    [20, 0],
    [20, 5],
    [16, 7],
    [6, 0],
  ])('of at most %i tokens with %i shared: every part fits and stands where it says', async (maxTokens, overlap) => {
    const chunks = await calls.chunk(PROSE, { maxTokens, overlap });
    const { offsets } = tokenizer.encode(PROSE);
    expect(chunks.length).toBeGreaterThan(1);
    for (const [i, { text, start, end, tokens }] of chunks.entries()) {
      expect(text).toBe(PROSE.slice(start, end));
      expect(tokens).toBe(tokenizer.encode(text).ids.length);
      expect(tokens).toBeLessThanOrEqual(maxTokens);
      const before = chunks[i - 1];
      if (!before) continue;
      expect(start).toBeGreaterThan(before.start);
      expect(end).toBeGreaterThan(before.end);
      if (overlap === 0) expect(PROSE.slice(before.end, start).trim()).toBe('');
      else {
        // Tokens of whitespace alone count, though a part neither begins nor ends with them.
        const from = PROSE.slice(0, start).trimEnd().length;
        const to = PROSE.length - PROSE.slice(before.end).trimStart().length;
        const shared = offsets.filter((span) => span[0] >= from && span[1] <= to && span[1] > 0);
        expect(shared.length).toBeGreaterThanOrEqual(overlap);
      }
      if (maxTokens > 6) expect(`${PROSE[start - 1]} ${PROSE[end] ?? ' '}`).toMatch(/^\s \s$/); // whole words
    }
    expect(chunks[0].start).toBe(0);
    expect(chunks.at(-1)?.end).toBe(PROSE.length);
  });

  it.each(HARD.map((text, i) => [i, text]))('of hard text %i covers all of it', async (_, text) => {
    for (const [maxTokens, overlap] of [
      [20, 0],
      [12, 5],
    ]) {
      const chunks = await calls.chunk(text, { maxTokens, overlap });
      let reached = 0;
      for (const chunk of chunks) {
        expect(chunk.text).toBe(text.slice(chunk.start, chunk.end));
        expect(tokenizer.encode(chunk.text).ids.length).toBe(chunk.tokens);
        expect(chunk.tokens).toBeLessThanOrEqual(maxTokens);
        expect(text.slice(reached, chunk.start).trim()).toBe('');
        expect(chunk.end).toBeGreaterThan(reached);
        // No part begins or ends inside of a surrogate pair.
        expect(/^[\udc00-\udfff]/.test(chunk.text) && /[\ud800-\udbff]/.test(text[chunk.start - 1])).toBe(false);
        reached = chunk.end;
      }
      expect(text.slice(reached).trim()).toBe('');
    }
  });

  it("does the same with ModernBERT's own tokenizer", async () => {
    const modernbert = createTokenizer(modernbertFile(), undefined);
    const { calls: own } = callsOn('encoder', {}, noAnswer, modernbert);
    const all = await own.chunk([PROSE, ...HARD], { maxTokens: 24, overlap: 4 });
    for (const [t, chunks] of all.entries()) {
      const text = [PROSE, ...HARD][t];
      expect(chunks.length > 1).toBe(modernbert.encode(text.trim()).ids.length > 24);
      for (const { text: part, start, end, tokens } of chunks) {
        expect(part).toBe(text.slice(start, end));
        expect(modernbert.encode(part).ids.length).toBe(tokens);
        expect(tokens).toBeLessThanOrEqual(24);
      }
    }
  });

  it('leaves a short text as it is', async () => {
    const text = ' Short. ';
    expect(await calls.chunk([text])).toEqual([
      [{ text, start: 0, end: 8, tokens: tokenizer.encode(text).ids.length }],
    ]);
  });

  it('says what does not fit', async () => {
    await expect(calls.chunk('a', { maxTokens: 2 })).rejects.toThrow(/from 3 \(2 special .* model's 64, it is 2/);
    await expect(calls.chunk('a', { maxTokens: 65 })).rejects.toThrow(RangeError);
    await expect(calls.chunk('a', { maxTokens: 20, overlap: 10 })).rejects.toThrow(
      /overlap .* from 0 to 9, .* it is 10/,
    );
    await expect(calls.chunk('')).rejects.toThrow(/Text 0 is empty/);
    await expect(calls.chunk([5 as never])).rejects.toThrow(TypeError);
    await expect(calls.chunk('👩‍👩‍👧‍👦 '.repeat(5), { maxTokens: 3 })).rejects.toThrow(
      /maxTokens 3 is too small for .* "👩"/,
    );
  });

  it('stops between texts when aborted', async () => {
    const controller = new AbortController();
    const chunked = calls.chunk(
      Array.from({ length: 400 }, () => PROSE.repeat(3)),
      { ...controller, signal: controller.signal },
    );
    setTimeout(() => controller.abort());
    await expect(chunked).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
    await expect(calls.chunk('a', { signal: AbortSignal.abort() })).rejects.toThrow(
      expect.objectContaining({ name: 'AbortError' }),
    );
  });
});
