import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type DescribeProgressOptions, describeProgress, type LoadProgress } from './progress';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const MB = 1e6;
const WEIGHTS = 'model.safetensors';

/** Reports what a load says, and returns what is made of it. */
function start(options?: DescribeProgressOptions) {
  let latest: LoadProgress | undefined;
  const onProgress = describeProgress((progress) => {
    latest = progress;
  }, options);
  const at = (file: string, loaded: number, total?: number): LoadProgress => {
    onProgress({ file, loaded, total });
    return latest!;
  };
  /** Reports of a file at so many bytes a second for so many seconds, from `from` on; all that was made of them. */
  const flow = (file: string, from: number, total: number | undefined, perSecond: number, seconds: number) => {
    const all: LoadProgress[] = [];
    for (let i = 1; i <= seconds * 10; i++) {
      vi.advanceTimersByTime(100);
      all.push(at(file, Math.min(from + (i * perSecond) / 10, total ?? Infinity), total));
    }
    return all;
  };
  return { at, flow };
}

describe('one file of weights', () => {
  it('is described from its first byte to its last', () => {
    const { at, flow } = start();
    expect(at('config.json', 0, 1000)).toEqual({ loaded: 0, total: undefined, secondsLeft: undefined, text: '0 kB' });
    expect(at('config.json', 1000, 1000)).toMatchObject({ loaded: 1000, total: undefined, text: '1 kB' });
    expect(at(WEIGHTS, 0, 160 * MB)).toMatchObject({ loaded: 1000, total: 160 * MB + 1000, text: '0 of 160 MB' });
    expect(flow(WEIGHTS, 0, 160 * MB, 20 * MB, 0.9).at(-1)).toMatchObject({
      secondsLeft: undefined,
      text: '18 of 160 MB',
    });
    expect(flow(WEIGHTS, 18 * MB, 160 * MB, 20 * MB, 0.1).at(-1)).toMatchObject({
      loaded: 20 * MB + 1000,
      secondsLeft: 7,
      text: '20 of 160 MB, 7 s left',
    });
    const rest = flow(WEIGHTS, 20 * MB, 160 * MB, 20 * MB, 7);
    expect(rest[59]).toMatchObject({ loaded: 140 * MB + 1000, secondsLeft: 1, text: '140 of 160 MB, 1 s left' });
    expect(rest.at(-1)).toEqual({
      loaded: 160 * MB + 1000,
      total: 160 * MB + 1000,
      secondsLeft: 0,
      text: '160 MB',
    });
  });

  it('never says that all is there before it is', () => {
    const { at } = start();
    expect(at(WEIGHTS, 159.99 * MB, 160.6 * MB).text).toBe('159 of 161 MB');
    expect(at(WEIGHTS, 160.6 * MB, 160.6 * MB).text).toBe('161 MB');
  });

  it.each([
    [400, 900, '0 of 1 kB'],
    [12_000, 160_000, '12 of 160 kB'],
    [0.44 * MB, 3.2 * MB, '0.4 of 3.2 MB'],
    [12 * MB, 160 * MB, '12 of 160 MB'],
    [1.29e9, 4.3e9, '1.2 of 4.3 GB'],
    [0.01e9, 14.3e9, '0.0 of 14.3 GB'],
  ])('of %d of %d bytes', (loaded, total, text) => {
    expect(start().at(WEIGHTS, loaded, total).text).toBe(text);
  });

  it.each(
    [
      [2, '80 s'],
      [1.7, '2 min'],
      [0.02, '2.2 h'],
      [0.018, '2.5 h'],
    ].map(([speed, left]) => [speed as number, left as string] as const),
  )('at %d MB/s has %s left', (speed, left) => {
    const { at, flow } = start();
    const total = 160 * MB + speed * MB;
    at(WEIGHTS, 0, total);
    const [first] = flow(WEIGHTS, 0, total, speed * MB, 1).slice(-1);
    expect(first.text.endsWith(`, ${left} left`), first.text).toBe(true);
  });
});

describe('the time that is left', () => {
  /** Bytes a second that vary by a half, the same every time. */
  const unsteady = (i: number) => 10 * MB * (1 + Math.sin(i * 1.7) / 2);

  it('does not jump back where the speed varies', () => {
    const { at } = start();
    const total = 400 * MB;
    let loaded = 0;
    at(WEIGHTS, 0, total);
    const seen: number[] = [];
    for (let i = 0; loaded < total; i++) {
      vi.advanceTimersByTime(100);
      loaded = Math.min(total, loaded + unsteady(i) / 10);
      const { secondsLeft } = at(WEIGHTS, loaded, total);
      if (secondsLeft !== undefined) seen.push(secondsLeft);
    }
    expect(seen.every((left, i) => i === 0 || left <= seen[i - 1])).toBe(true);
    // About 40 s in all; never off by more than a fifth or a second.
    const steps = seen.length;
    const wrong = seen.filter((left, i) => {
      const real = (steps - 1 - i) / 10;
      return Math.abs(left - real) > Math.max(1.5, real / 5);
    });
    expect(wrong).toEqual([]);
  });

  it('rises when the network has become much slower', () => {
    const { at, flow } = start();
    at(WEIGHTS, 0, 400 * MB);
    expect(flow(WEIGHTS, 0, 400 * MB, 20 * MB, 10).at(-1)!.secondsLeft).toBe(10);
    const slow = flow(WEIGHTS, 200 * MB, 400 * MB, 2 * MB, 25);
    expect(slow.at(-1)!.secondsLeft).toBe(75); // 150 MB at 2 MB/s
  });

  it('is what it was while a broken connection is made again, and goes by the new one', () => {
    const { at, flow } = start();
    at(WEIGHTS, 0, 400 * MB);
    const [before] = flow(WEIGHTS, 0, 400 * MB, 20 * MB, 10).slice(-1);
    vi.advanceTimersByTime(60_000);
    const resumed = flow(WEIGHTS, 200 * MB, 400 * MB, 20 * MB, 5);
    expect(resumed.map(({ secondsLeft }) => secondsLeft!).every((left) => left <= before.secondsLeft!)).toBe(true);
    expect(resumed.at(-1)!.secondsLeft).toBe(5);
  });

  it('is known too where a MiB takes seconds', () => {
    const { at } = start();
    at(WEIGHTS, 0, 100 * MB);
    vi.advanceTimersByTime(8000);
    expect(at(WEIGHTS, 1 * MB, 100 * MB)).toMatchObject({ secondsLeft: 792, text: '1 of 100 MB, 13 min left' });
    vi.advanceTimersByTime(8000);
    expect(at(WEIGHTS, 2 * MB, 100 * MB).secondsLeft).toBe(784);
  });

  it('is not told of a load from the store, which is over before', () => {
    const { at } = start();
    const all = Array.from({ length: 161 }, (_, i) => {
      vi.advanceTimersByTime(3);
      return at(WEIGHTS, i * MB, 160 * MB);
    });
    expect(all.slice(0, -1).every(({ secondsLeft }) => secondsLeft === undefined)).toBe(true);
    expect(all[80].text).toBe('80 of 160 MB');
    expect(all.at(-1)).toMatchObject({ secondsLeft: 0, text: '160 MB' });
  });
});

describe('several files', () => {
  it('are added up, also side by side', () => {
    const { at, flow } = start();
    at('config.json', 1000, 1000);
    at(WEIGHTS, 0, 100 * MB);
    at('1_Dense/model.safetensors', 0, 20 * MB);
    flow(WEIGHTS, 0, 100 * MB, 10 * MB, 1);
    expect(at('1_Dense/model.safetensors', 5 * MB, 20 * MB)).toEqual({
      loaded: 15 * MB + 1000,
      total: 120 * MB + 1000,
      secondsLeft: 7,
      text: '15 of 120 MB, 7 s left',
    });
  });

  it('of which one comes after the weights go on from there', () => {
    const { at } = start();
    at(WEIGHTS, 160 * MB, 160 * MB);
    expect(at('tokenizer.json', 0, 2 * MB)).toMatchObject({ secondsLeft: 0, text: '160 of 162 MB' });
    expect(at('tokenizer.json', 2 * MB, 2 * MB).text).toBe('162 MB');
  });

  it('that are shards count before they begin, so that none of them is all', () => {
    const { at } = start();
    const shard = (i: number) => `model-0000${i}-of-00003.safetensors`;
    expect(at(shard(1), 0, 100 * MB).total).toBe(300 * MB);
    expect(at(shard(1), 100 * MB, 100 * MB)).toMatchObject({ total: 300 * MB, text: '100 of 300 MB' });
    expect(at(shard(2), 0, 100 * MB).total).toBe(300 * MB);
    expect(at(shard(3), 0, 40 * MB)).toMatchObject({ loaded: 100 * MB, total: 240 * MB });
  });

  it('of an adapter are no weights to go by: its base comes later', () => {
    const { at } = start();
    expect(at('adapter_model.safetensors', 3 * MB, 3 * MB)).toMatchObject({ total: undefined, text: '3.0 MB' });
    expect(at(WEIGHTS, 0, 160 * MB)).toMatchObject({ total: 163 * MB, text: '3 of 163 MB' });
  });

  it('of a model without WebGPU have their weights in an ONNX file', () => {
    const { at } = start();
    at('config.json', 1000, 1000);
    expect(at('onnx/model_quantized.onnx', 0, 150 * MB).text).toBe('0 of 150 MB');
  });

  it('that begin again, after a loss, take nothing back', () => {
    const { at } = start();
    at('config.json', 1000, 1000);
    at(WEIGHTS, 80 * MB, 160 * MB);
    expect(at('config.json', 0, 1000).loaded).toBe(80 * MB + 1000);
    expect(at(WEIGHTS, 1 * MB, 160 * MB)).toMatchObject({ loaded: 80 * MB + 1000, text: '80 of 160 MB' });
    expect(at(WEIGHTS, 90 * MB, 160 * MB).loaded).toBe(90 * MB + 1000);
  });
});

describe('sizes that the server does not tell', () => {
  it('of the weights leave the total and the time unknown', () => {
    const { at, flow } = start();
    at(WEIGHTS, 0);
    expect(flow(WEIGHTS, 0, undefined, 20 * MB, 5).at(-1)).toEqual({
      loaded: 100 * MB,
      total: undefined,
      secondsLeft: undefined,
      text: '100 MB',
    });
  });

  it('of other files do not', () => {
    const { at } = start();
    at('config.json', 1000);
    expect(at(WEIGHTS, 0, 160 * MB).total).toBe(160 * MB + 1000);
  });
});

describe('words', () => {
  it("are the caller's, and numbers as in his language", () => {
    const { at, flow } = start({
      locale: 'de',
      phrase: ({ loaded, total, unit, left }) => `${loaded} von ${total} ${unit}${left ? `, noch ${left}` : ''}`,
    });
    at(WEIGHTS, 0, 4.3e9);
    expect(flow(WEIGHTS, 0, 4.3e9, 0.5e9, 1).at(-1)!.text).toBe('0,5 von 4,3 GB, noch 8 s');
  });

  it('of wrong options are errors', () => {
    const wrong = (options: object) => () => describeProgress(() => {}, options);
    expect(wrong({ local: 'de' })).toThrow("Did you mean 'locale'?");
    expect(wrong({ locale: 'not a locale' })).toThrow(RangeError);
  });
});
