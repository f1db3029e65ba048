import { afterEach, describe, expect, it, vi } from 'vitest';
import { DeviceFaultError, UnsupportedModelError } from '../api/errors';
import type { Model } from '../api/types';
import { testGpu, withShaders } from '../gpu/fixtures';
import { checkpointFolder, maxDifference, readGolden } from '../model/fixtures/golden';
import { folderFiles } from '../sources/folder';
import { tinyModel } from '../tasks/fixtures';
import type { OpenOptions } from './load-runtime';
import { openModel } from './open';

/** The designs of cards; without loops written out, which take lavapipe longer to compile and are no other choice. */
const CARD = { name: 'card', unroll: 1 } as const;
const golden = readGolden('tiny-mlm');

const open = (gpu: GPU, options: Partial<OpenOptions> = {}, source = checkpointFolder('tiny-mlm')): Promise<Model> =>
  openModel(source, {
    gpu,
    folder: folderFiles,
    dtype: 'f32',
    arithmetic: 'f32',
    autotune: false,
    profile: CARD,
    ...options,
  });

/** Loads on `gpu`, expects the golden output, and returns what the model says of itself. */
async function loaded(gpu: GPU, options?: Partial<OpenOptions>) {
  const model = await open(gpu, options);
  try {
    const { last_hidden_state } = await model.forward(golden.batch, { outputs: ['last_hidden_state'] });
    expect(maxDifference(last_hidden_state!.data, golden.floats('last_hidden_state').data)).toBeLessThanOrEqual(2e-4);
    return model.info;
  } finally {
    await model.dispose();
  }
}

// What tells the designs apart in the shaders that are compiled.
const isSplitK = (code: string) => code.includes('threads that add up the sums of one run');
const isGemm = (code: string) => code.includes('fn finish(');
const isAttention = (rows: number) => (code: string) => code.includes(`const ROWS: u32 = ${rows};`);
const isLayerNorm = (code: string) => code.includes('fn moments(') && !code.includes('input_ids');

const broken = (is: (code: string) => boolean, from: string, to: string) =>
  withShaders((code) => {
    if (!is(code)) return code;
    if (!code.includes(from)) throw new Error(`The shader has no '${from}' to break.`);
    return code.replaceAll(from, to);
  });

/** As a driver that silently does nothing. */
const doesNothing = (is: (code: string) => boolean) =>
  broken(is, 'index) thread: u32) {', 'index) thread: u32) { if (K > 0) { return; }');

const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
afterEach(() => warn.mockClear());

it('a device that computes right keeps its designs, and nothing is said', async () => {
  expect((await loaded(testGpu())).replaced).toEqual([]);
  expect(warn).not.toHaveBeenCalled();
});

describe('is replaced by the next safer design', () => {
  const expectWarning = (adapter: string) => {
    expect(warn).toHaveBeenCalledOnce();
    expect(warn.mock.calls[0][0]).toContain(adapter);
  };

  it.each([16, 64])('attention that loses a key, in tiles of %i rows', async (rows) => {
    const gpu = broken(isAttention(rows), 'key_unroll < CHUNK', 'key_unroll < CHUNK - 1');
    const { replaced, adapter } = await loaded(gpu);
    expect(replaced.map(({ kernel, design }) => [kernel.split(' ')[0], design])).toEqual([['attention', 'workgroup']]);
    expect(replaced[0].reason).toMatch(/^wrong by [\d.e-]+ where rounding explains [\d.e-]+$/);
    expectWarning(adapter.description);
  });

  it.each([
    ['leaves its output untouched', doesNothing(isSplitK)],
    ['computes NaN', broken(isSplitK, 'vec4<out_t>(value)', 'vec4<out_t>(sqrt(-1.0 - abs(value)))')],
    [
      'is off by one part in a thousand of a part of its sum in one of eight rows',
      broken(isSplitK, 'sums[first] +', 'select(1.0, 1.001, thread == 5) * sums[first] +'),
    ],
  ])('a matrix product that %s', async (_, gpu) => {
    const { replaced, adapter } = await loaded(gpu);
    expect(replaced.length).toBeGreaterThan(0);
    expect(new Set(replaced.map(({ design }) => design))).toEqual(new Set(['workgroup']));
    expectWarning(adapter.description);
  });

  it('a shader that the device refuses', async () => {
    const { replaced } = await loaded(broken(isAttention(64), 'const SLACK: f32 = 8;', 'const SLACK: u32 = 8.5;'));
    expect(replaced[0]).toMatchObject({ design: 'workgroup', reason: expect.stringContaining('does not compile') });
    expect(warn).toHaveBeenCalledOnce();
  });
});

describe('throws an error that names kernel and adapter', () => {
  it.each([
    [
      'every matrix product',
      doesNothing(isGemm),
      /'[\w.]+' in design 'plain', the safest, does not work on this device \(.+\)/,
    ],
    [
      'a LayerNorm',
      broken(isLayerNorm, 'inverseSqrt(variance + EPS)', '1.0 / (variance + EPS)'),
      /'layer_norm(_in_place| gather)?' does not work/,
    ],
  ])('if %s is wrong', async (_, gpu, message) => {
    const loading = open(gpu);
    await expect(loading).rejects.toThrow(DeviceFaultError);
    await expect(loading).rejects.toThrow(message);
    expect(warn).not.toHaveBeenCalled();
  });

  it('or that it does not compile, if no design does', async () => {
    const loading = open(broken(isGemm, 'fn finish(', 'fn finish(wrong: '));
    await expect(loading).rejects.toThrow(UnsupportedModelError);
    await expect(loading).rejects.toThrow(/does not compile on this device \(.*\): \d+:\d+ /);
  });
});

it('a head that only a later call needs is checked then', async () => {
  const isPooling = (code: string) => code.includes('fn combine(');
  const model = await open(broken(isPooling, 'best / divisor', 'best'), {}, tinyModel('mlm'));
  try {
    await expect(model.embed('a text')).rejects.toThrow(DeviceFaultError);
    await expect(model.embed('a text')).rejects.toThrow(/'pool mean' does not work on this device/);
    expect(await model.fillMask('a [MASK]')).toHaveLength(1);
  } finally {
    await model.dispose();
  }
});

describe('what was found', () => {
  const store = () => {
    const values = new Map<string, unknown>();
    const set = vi.fn(async (key: string, value: unknown) => void values.set(key, structuredClone(value)));
    return { values, set, get: async (key: string) => values.get(key) };
  };

  it('is remembered: the next load checks nothing, until another version computes', async () => {
    const plans = store();
    const gpu = () => doesNothing(isSplitK);
    const first = await loaded(gpu(), { plans });
    expect(plans.set).toHaveBeenCalledTimes(3); // with the wrong design, with the safer one, and for the call's own head
    const second = await loaded(gpu(), { plans });
    expect(second.replaced).toEqual(first.replaced);
    expect(plans.set).toHaveBeenCalledTimes(3);
    expect(warn).toHaveBeenCalledTimes(2);
    vi.stubGlobal('navigator', { userAgent: 'another' });
    try {
      await loaded(testGpu(), { plans });
    } finally {
      vi.unstubAllGlobals();
    }
    expect(plans.set).toHaveBeenCalledTimes(5);
  });

  it('is not remembered if nothing can be done about it', async () => {
    const plans = store();
    await expect(open(broken(isLayerNorm, 'inverseSqrt(', 'sqrt('), { plans })).rejects.toThrow(DeviceFaultError);
    expect(plans.set).not.toHaveBeenCalled();
  });
});
