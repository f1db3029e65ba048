/** Long runs on a small model: what docs/reliability.md promises. `npm run test:soak` */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Model } from '../api/types';
import { inBatches } from '../in-batches';
import { maxDifference } from '../model/fixtures/golden';
import { tinyModel } from '../tasks/fixtures';
import { loadTestModel } from './fixtures';

const WORDS = 'the quick brown fox jumps over a lazy dog while many small models read every text in turn'.split(' ');
/** A text of 1 to 60 words that follows from its number. */
const textOf = (i: number): string =>
  Array.from({ length: 1 + ((i * 7919) % 60) }, (_, w) => WORDS[(i * 31 + w * 17) % WORDS.length]).join(' ');

let model: Model;
beforeAll(async () => {
  model = await loadTestModel(tinyModel('encoder'));
});
afterAll(() => model.dispose());

const megabytes = () => {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage().rss / 1e6;
};

it('5,000 calls of all kinds leave no memory behind and compute what the first ones did', async () => {
  const first = await model.embed([0, 1, 2, 3].map(textOf));
  const round = async (i: number) => {
    const texts = Array.from({ length: 1 + (i % 8) }, (_, t) => textOf(i + t));
    if (i % 5 === 0) {
      const controller = new AbortController();
      const call = model.embed(texts, { signal: controller.signal });
      if (i % 2) await Promise.resolve();
      controller.abort();
      await call.catch(() => {});
    } else if (i % 5 === 1) await expect(model.embed([...texts, ''])).rejects.toThrow('is empty');
    else await model.embed(texts);
  };
  for (let i = 0; i < 1000; i++) await round(i);
  const [rss, { activations }] = [megabytes(), model.memory()];
  for (let i = 1000; i < 5000; i++) await round(i);
  const [now, use] = [megabytes(), model.memory()];
  console.log(`5,000 calls: RSS ${rss.toFixed(0)} MB after 1,000, ${now.toFixed(0)} MB at the end`);
  expect(now).toBeLessThan(1.02 * rss + 2);
  expect(use.activations).toBeLessThanOrEqual(1.02 * activations);
  const again = await model.embed([0, 1, 2, 3].map(textOf));
  expect(maxDifference(again.data, first.data)).toBeLessThan(1e-6);
});

it('500 calls at a time get their own answers, in the order in which they came', async () => {
  const texts = Array.from({ length: 500 }, (_, i) => `${WORDS[i % 18]} ${WORDS[(i * 5 + 1) % 18]}`);
  const expected = await model.embed(texts);
  const order: number[] = [];
  const results = await Promise.all(
    texts.map(async (text, i) => {
      const result = await model.embed(text);
      order.push(i);
      return result.data;
    }),
  );
  for (const [i, data] of results.entries()) expect(maxDifference(data, expected.row(i))).toBeLessThan(1e-6);
  const lengths = await Promise.all(texts.map(async (text) => (await model.tokenize(text)).ids.length));
  for (const length of new Set(lengths)) {
    const alike = order.filter((i) => lengths[i] === length);
    expect(alike).toEqual(alike.toSorted((a, b) => a - b));
  }
});

it('200 aborts reject at once, before another pass of theirs begins, and harm no other call', async () => {
  const wanted = await model.embed([textOf(1)]);
  for (let i = 0; i < 200; i++) {
    const controller = new AbortController();
    let passes = 0;
    const aborted = model.embed(
      Array.from({ length: 64 }, (_, t) => textOf(i + t)),
      {
        signal: controller.signal,
        onProgress: () => passes++,
      },
    );
    const other = model.embed([textOf(1)]);
    await new Promise((resolve) => setTimeout(resolve, i % 17));
    const before = passes;
    controller.abort();
    const outcome = await aborted.then(
      () => 'done',
      (error: Error) => error.name,
    );
    expect(outcome === 'AbortError' || before > 0).toBe(true);
    expect(passes).toBe(before);
    expect(maxDifference((await other).data, wanted.data)).toBeLessThan(1e-6);
  }
});

it('20,000 texts one by one need no more memory than 2,000', async () => {
  async function* texts(count: number) {
    for (let i = 0; i < count; i++) yield textOf(i);
  }
  const run = async (count: number) => {
    let got = 0;
    let peak = 0;
    for await (const row of inBatches(texts(count), (batch, options) => model.embed(batch, options))) {
      if (got++ % 500 === 0) peak = Math.max(peak, megabytes());
      expect(row.length).toBe(64);
    }
    expect(got).toBe(count);
    return peak;
  };
  const [few, many] = [await run(2000), await run(20_000)];
  console.log(`2,000 texts: at most ${few.toFixed(0)} MB; 20,000 texts: ${many.toFixed(0)} MB`);
  expect(many).toBeLessThan(1.05 * few + 4);
});

it('20,000 texts in one call keep their ids and results, and not much else', async () => {
  const texts = Array.from({ length: 20_000 }, (_, i) => textOf(i));
  const before = megabytes();
  let peak = before;
  const onProgress = () => {
    peak = Math.max(peak, process.memoryUsage().rss / 1e6);
  };
  const delays = monitorEventLoopDelay({ resolution: 5 });
  delays.enable();
  const { rows } = await model.embed(texts, { onProgress });
  delays.disable();
  expect(rows).toBe(20_000);
  console.log(
    `20,000 texts in one call: RSS ${before.toFixed(0)} MB before, at most ${peak.toFixed(0)} MB; the event loop held for at most ${(delays.max / 1e9).toFixed(2)} s`,
  );
  expect(peak - before).toBeLessThan(150); // ids and results are 8 MB, and the passes have their own
});
