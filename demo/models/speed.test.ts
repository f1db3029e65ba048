import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Model } from '../../src/index';
import { estimateSpeed, measuredOf, measureSpeed, pagesPer, readSpeeds, speedKey, speedText } from './speed';

it('scales the speed of the measured model nearest in size', () => {
  // 8 MFLOP at 1,000 tokens/s are 8 GFLOP/s; 200 MFLOP at 100 tokens/s are 20.
  const measured = [
    { flops: 8e6, tokensPerSecond: 1000 },
    { flops: 200e6, tokensPerSecond: 100 },
  ];
  expect(estimateSpeed(16e6, measured)).toBe(500);
  expect(estimateSpeed(400e6, measured)).toBe(50);
  expect(estimateSpeed(39e6, measured)).toBeCloseTo(8e9 / 39e6, 9); // 40 MFLOP are as far from both
  expect(estimateSpeed(41e6, measured)).toBeCloseTo(20e9 / 41e6, 9);
  expect(estimateSpeed(1e6, [])).toBeUndefined();
});

it('says speeds as pages of 400 tokens', () => {
  expect([16_200, 440, 400, 390, 40, 4].map(pagesPer)).toEqual([
    '41 pages per second',
    '1.1 pages per second',
    '1 page per second',
    '1 second per page',
    '10 seconds per page',
    '100 seconds per page',
  ]);
});

it('tells measured from estimated speeds, and one GPU from another', () => {
  const small = { source: 'small', flops: 10e6 };
  const large = { source: 'large', flops: 100e6 };
  const speeds = { [speedKey('small', 'f16', 'GPU')]: 40_000, [speedKey('small', 'f16', 'other GPU')]: 1 };
  const measured = measuredOf([small, large], 'GPU', speeds);
  expect(measured).toEqual([{ flops: 10e6, tokensPerSecond: 40_000 }]);
  expect(speedText(small, 'f16', 'GPU', speeds, measured)).toBe('about 100 pages per second, measured');
  expect(speedText(small, 'q8', 'GPU', speeds, measured)).toBe('about 100 pages per second, estimated');
  expect(speedText(large, 'f16', 'GPU', speeds, measured)).toBe('about 10 pages per second, estimated');
  expect(speedText(large, 'f16', undefined, speeds, [])).toBeUndefined();
});

describe('measuring', () => {
  /** A model that takes `ms` per text. */
  function timedModel(ms: number) {
    const kept = new Map<string, string>();
    vi.stubGlobal('localStorage', {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
    });
    let now = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
    onTestFinished(() => {
      clock.mockRestore();
      vi.unstubAllGlobals();
    });
    const calls: number[] = [];
    const model = {
      info: { dtype: 'f16', maxTokens: 512, adapter: { description: 'GPU' } },
      tokenize: async (text: string) => ({ ids: Array(text.split(' ').length + 2) }),
      embed: async (texts: string[], { signal }: { signal: AbortSignal }) => {
        signal.throwIfAborted();
        calls.push(texts.length);
        now += ms * texts.length;
      },
    } as unknown as Model;
    return { model, calls };
  }

  it('takes four texts of 128 tokens, and again after a week or by another version', async () => {
    const { model, calls } = timedModel(10);
    await measureSpeed(model, 'small', new AbortController().signal);
    expect(calls).toEqual([1, 1, 4]);
    expect(readSpeeds()).toEqual({ 'small | f16 | GPU': 12_800 }); // 512 tokens in 40 ms
    await measureSpeed(model, 'small', new AbortController().signal);
    expect(calls).toHaveLength(3);

    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const day = 24 * 3600 * 1000;
    const measureIn = async (days: number) => {
      vi.setSystemTime(Date.now() + days * day);
      calls.length = 0;
      await measureSpeed(model, 'small', new AbortController().signal);
      return calls.length;
    };
    expect(await measureIn(6.9)).toBe(0);
    expect(await measureIn(0.2)).toBe(3);
    expect(await measureIn(6.9)).toBe(0); // the new one has an age of its own
    const kept = JSON.parse(localStorage.getItem('modernbert-webgpu/speed')!);
    kept['small | f16 | GPU'].by = '0.0.1 0123456789ab';
    localStorage.setItem('modernbert-webgpu/speed', JSON.stringify(kept));
    expect(readSpeeds()).toEqual({ 'small | f16 | GPU': 12_800 }); // better than none until then
    expect(await measureIn(0)).toBe(3);
    expect(await measureIn(-30)).toBe(3); // a clock that was wrong
    localStorage.setItem('modernbert-webgpu/speed', '{"small | f16 | GPU": 5}'); // as it was kept once
    expect(await measureIn(0)).toBe(3);
    expect(readSpeeds()).toEqual({ 'small | f16 | GPU': 12_800 });
  });

  it('takes one text at a time on a slow device, and ends between them', async () => {
    const { model, calls } = timedModel(300);
    await measureSpeed(model, 'small', new AbortController().signal);
    expect(calls).toEqual([1, 1, 1, 1, 1]);
    expect(readSpeeds()).toEqual({ 'small | f16 | GPU': 427 }); // 512 tokens in 1.2 s

    const aborted = AbortSignal.abort(new Error('a run begins'));
    await expect(measureSpeed(model, 'other', aborted)).rejects.toThrow('a run begins');
    expect(Object.keys(readSpeeds())).toEqual(['small | f16 | GPU']);
  });

  it('measures once where nothing may be kept', async () => {
    const { model, calls } = timedModel(10);
    vi.spyOn(localStorage, 'setItem').mockImplementation(() => {
      throw new DOMException('full', 'QuotaExceededError');
    });
    for (let i = 0; i < 2; i++) await measureSpeed(model, 'unkept', new AbortController().signal);
    expect(calls).toHaveLength(3);
  });
});
