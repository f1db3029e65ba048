import { expect, it } from 'vitest';
import type { Model } from '../../src/index';
import { measure, timed } from './measure';

/** A model that takes a millisecond per `tokensPerMs` tokens of a clock of its own, and `setUp` at its first call; a token is a word. */
function fake(tokensPerMs: number, setUp = 0) {
  const clock = { ms: 0, calls: [] as number[] };
  const wordsOf = (text: string | { ids: ArrayLike<number> }) =>
    typeof text === 'string' ? text.split(' ').length : text.ids.length;
  const model = {
    async tokenize(text: string) {
      return { ids: new Uint32Array(wordsOf(text)) };
    },
    async embed(texts: (string | { ids: Uint32Array })[]) {
      const tokens = texts.map(wordsOf).reduce((a, b) => a + b);
      clock.ms += tokens / tokensPerMs + (clock.calls.length === 0 ? setUp : 0);
      clock.calls.push(tokens);
    },
  } as unknown as Pick<Model, 'embed' | 'tokenize'>;
  return { model, clock, now: () => clock.ms };
}
const signal = new AbortController().signal;

it('measures a fast device: full calls, medians, a long document, in the time given', async () => {
  const { model, clock, now } = fake(128); // 4 ms a page
  const done: number[] = [];
  const found = await measure(model, { seconds: 12, signal, now, onProgress: (seconds) => done.push(seconds) });
  expect(found.page).toEqual({ tokens: 512, words: 512 });
  expect(found.text.pages).toBe(64); // they take 256 ms; 32 take less than a 32nd of 7.8 s
  expect(found.text.median_ms).toBeCloseTo(256);
  expect(found.text.ms_per_1000_pages).toBeCloseTo(4000);
  expect(found.text.tokens_per_s).toBeCloseTo(128_000);
  expect(found.ids.tokens_per_s).toBeCloseTo(128_000);
  expect(found.query).toMatchObject({ tokens: 16 });
  expect(found.query.median_ms).toBeCloseTo(0.125);
  expect(found.document?.median_ms).toBeCloseTo(64);
  expect(clock.ms).toBeLessThan(12_000);
  expect(done).toEqual([...done].sort((a, b) => a - b));
});

it('ends on a slow device too: a page at a time, a run of each, and no long document', async () => {
  const { model, clock, now } = fake(0.1); // 5 s a page
  const found = await measure(model, { seconds: 2, signal, now, onProgress() {} });
  expect(found.text).toMatchObject({ pages: 1, runs_ms: [5120] });
  expect(found.text.ms_per_1000_pages).toBe(5_120_000);
  expect(found.document).toBeUndefined();
  expect(Math.max(...clock.calls)).toBe(512);
  expect(clock.calls.filter((tokens) => tokens === 512)).toHaveLength(4); // two to choose, one from text, one from ids
});

it('is not misled by what the first call sets up', async () => {
  const { model, now } = fake(128, 3000);
  expect((await measure(model, { seconds: 12, signal, now, onProgress() {} })).text.pages).toBe(64);
});

it('stops when asked to', async () => {
  const controller = new AbortController();
  const { model, now } = fake(128);
  const options = { seconds: 12, signal: controller.signal, now };
  const onProgress = (done: number) => done > 6 && controller.abort();
  await expect(measure(model, { ...options, onProgress })).rejects.toThrow(
    expect.objectContaining({ name: 'AbortError' }),
  );
});

it('times by a clock: at least one run, at most so many, without the first where there are others', async () => {
  let ms = 0;
  const durations = [500, 30, 10, 20, 10, 10];
  const now = () => ms;
  const run = async () => {
    ms += durations.shift() ?? 10;
  };
  expect(await timed([run], { ms: 560, most: 9, now })).toEqual([{ runs_ms: [30, 10, 20], median_ms: 20 }]);
  expect(await timed([run], { ms: 0, most: 9, now })).toEqual([{ runs_ms: [10], median_ms: 10 }]);
  expect((await timed([run], { ms: 1000, most: 3, now }))[0].runs_ms).toHaveLength(3);
});

it('takes turns', async () => {
  let ms = 0;
  const order: string[] = [];
  const work = (name: string, takes: number) => async () => {
    ms += takes;
    order.push(name);
  };
  const found = await timed([work('a', 10), work('b', 20)], { ms: 55, most: 9, now: () => ms });
  expect(order).toEqual(['a', 'b', 'a', 'b']);
  expect(found.map(({ median_ms }) => median_ms)).toEqual([10, 20]);
});
