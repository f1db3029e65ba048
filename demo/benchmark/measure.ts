// The measurement for people: pages, a search query and a long document, in the time that it is given.
import { median } from '../../bench/statistics';
import { textOf } from '../../bench/texts';
import type { Model } from '../../src/index';
import { timeOfPages } from './sentences';

export const PAGE_TOKENS = 512;
export const QUERY_TOKENS = 16;
export const DOCUMENT_TOKENS = 8192;
/** The pages of the sentence. */
export const PAGES = 1000;
const MOST_PAGES = 256;

/** Timed runs of the same work. */
export interface Runs {
  runs_ms: number[];
  median_ms: number;
}

/** Pages embedded in one call. */
export interface PageRuns extends Runs {
  pages: number;
  tokens_per_s: number;
}

/** What a measurement found, of texts in English of exactly these numbers of tokens. */
export interface Measured {
  /** What the measurement was given, not what it took. */
  seconds: number;
  page: { tokens: number; words: number };
  /** From texts, as an app has them. */
  text: PageRuns & { ms_per_1000_pages: number };
  /** From token ids: the encoder alone, as the runs of other devices were measured. */
  ids: PageRuns;
  query: Runs & { tokens: number };
  /** Undefined: left out, as the device is too slow for it. */
  document: (Runs & { tokens: number }) | undefined;
}

export interface MeasureOptions {
  seconds: number;
  signal: AbortSignal;
  /** Seconds of the measurement so far. */
  onProgress(done: number): void;
  /** Milliseconds. Default: the browser's clock. */
  now?: () => number;
}

/** Parts of the time, and the most runs of each. A document that would fill its part at the speed of pages is left out: attention makes it slower yet. */
const SHARES = { pages: 0.65, query: 0.1, document: 0.1 };
const MOST_RUNS = 9;

/**
 * Runs each of `works` in turn until `ms` have passed, at least once: what else the device does meanwhile hits all of them. The first runs set up, and
 * count only where there are no others.
 */
export async function timed(
  works: (() => Promise<unknown>)[],
  { ms, most, now }: { ms: number; most: number; now: () => number },
): Promise<Runs[]> {
  const times = works.map((): number[] => []);
  const start = now();
  for (let round = 0; round === 0 || (now() - start < ms && round <= most); round++) {
    for (const [i, work] of works.entries()) {
      const before = now();
      await work();
      times[i].push(now() - before);
    }
  }
  return times.map((all) => {
    const runs_ms = all.length > 1 ? all.slice(1) : all;
    return { runs_ms, median_ms: median(runs_ms) };
  });
}

/** The pages of a call: doubled until one takes a 32nd of `ms`, at most 256, as few pages do not fill a GPU. */
async function pagesPerCall(run: (pages: number) => Promise<unknown>, ms: number, now: () => number): Promise<number> {
  const isLong = async (pages: number) => {
    const before = now();
    await run(pages);
    return now() - before > ms / 32;
  };
  let pages = 1;
  // A second time, as what a first call of so many sets up takes time too.
  while (pages < MOST_PAGES && !((await isLong(pages)) && (await isLong(pages)))) pages *= 2;
  return pages;
}

/** Measures a loaded model. Takes about `seconds`, and on a slow device as long as one run of everything. */
export async function measure(
  model: Pick<Model, 'embed' | 'tokenize'>,
  { seconds, signal, onProgress, now = () => performance.now() }: MeasureOptions,
): Promise<Measured> {
  const budget = 1000 * seconds;
  const start = now();
  const step = () => {
    signal.throwIfAborted();
    onProgress(Math.min(seconds, (now() - start) / 1000));
  };
  const embed = async (texts: Parameters<Model['embed']>[0]) => {
    step();
    await model.embed(texts, { signal });
  };
  const idsOf = async (text: string) => (await model.tokenize(text)).ids;
  const written = (tokens: number, seed: number) => textOf(tokens, seed, async (text) => (await idsOf(text)).length);
  const part = (share: keyof typeof SHARES) => ({ ms: SHARES[share] * budget, most: MOST_RUNS, now });

  step();
  const samples = await Promise.all([1, 2, 3, 4].map((seed) => written(PAGE_TOKENS, seed)));
  const pagesOf = <T>(list: T[], pages: number) => Array.from({ length: pages }, (_, i) => list[i % list.length]);
  const rate = (runs: Runs, pages: number): PageRuns => ({
    pages,
    ...runs,
    tokens_per_s: (1000 * pages * PAGE_TOKENS) / runs.median_ms,
  });

  const ids = await Promise.all(samples.map(async (sample) => ({ ids: await idsOf(sample) })));
  const pages = await pagesPerCall((n) => embed(pagesOf(samples, n)), SHARES.pages * budget, now);
  const works = [() => embed(pagesOf(samples, pages)), () => embed(pagesOf(ids, pages))];
  const [text, fromIds] = (await timed(works, part('pages'))).map((runs) => rate(runs, pages));

  const question = await written(QUERY_TOKENS, QUERY_TOKENS);
  const [query] = await timed([() => embed([question])], { ...part('query'), most: 50 });

  let document: Measured['document'];
  if ((1000 * DOCUMENT_TOKENS) / text.tokens_per_s < SHARES.document * budget) {
    const long = await written(DOCUMENT_TOKENS, DOCUMENT_TOKENS);
    const [runs] = await timed([() => embed([long])], part('document'));
    document = { tokens: DOCUMENT_TOKENS, ...runs };
  }
  signal.throwIfAborted();
  return {
    seconds,
    page: { tokens: PAGE_TOKENS, words: wordsOf(samples) },
    text: { ...text, ms_per_1000_pages: timeOfPages(PAGES, pages, text.median_ms) },
    ids: fromIds,
    query: { tokens: QUERY_TOKENS, ...query },
    document,
  };
}

/** Words of a text, on average. */
const wordsOf = (texts: string[]): number =>
  Math.round(texts.reduce((sum, text) => sum + text.trim().split(/\s+/).length, 0) / texts.length);
