import { afterAll, describe, expect, it } from 'vitest';
import type { Gpu } from '../gpu/device';
import { openTestGpu } from '../gpu/fixtures';
import { profileOf } from '../gpu/profile';
import { kernelsOf } from './compile';
import { defaultPlan, PLANS, tilesFor } from './gemm';
import type { GemmSpec, GemmTile } from './gemm-spec';
import { measureMissing, tuneGemm } from './measure';
import { withMatrices } from './test-matrices';
import { createTuner, gemmPlan, type MeasureTools, planKey } from './tune';

const gpu = await openTestGpu();
afterAll(() => gpu.device.destroy());

const spec: GemmSpec = {
  label: 'mlp.Wi',
  n: 128,
  k: 64,
  bias: true,
  epilogue: { kind: 'geglu', activation: 'gelu' },
  dtype: 'q8',
  a: 'f32',
  out: 'f32',
};
const rope: GemmSpec = {
  ...spec,
  n: 192,
  dtype: 'f16',
  epilogue: { kind: 'rope', attentionWidth: 64, headDim: 64, qScale: 0.1 },
};

/** As the profile unrolls them. */
const TILES = tilesFor(gpu, rope);

/** Each piece at once. */
const toolsOf = (on: Gpu): MeasureTools => ({ turn: async (piece) => piece(), kernel: kernelsOf(on) });
const tune = (on: Gpu, of: GemmSpec, time?: Parameters<typeof tuneGemm>[3]) => tuneGemm(on, of, toolsOf(on), time);

const memoryStore = (plans: Record<string, unknown> = {}) => ({
  plans,
  get: async (key: string) => plans[key],
  set: async (key: string, plan: unknown) => {
    plans[key] = plan;
  },
});

describe('tuneGemm', () => {
  /** A timer that runs the work and reports one tile as the fastest. */
  const fastest = (tileFor: (rows: number) => GemmTile) => async (run: () => void, tile: GemmTile, rows: number) => {
    run();
    return JSON.stringify(tile) === JSON.stringify(tileFor(rows)) ? 1 : 5;
  };

  it('chooses the fastest tile for each number of rows', async () => {
    const time = fastest((rows) => TILES[rows <= 16 ? 3 : rows <= 64 ? 4 : rows <= 256 ? 5 : rows <= 1024 ? 1 : 2]);
    expect(await tune(gpu, rope, time)).toEqual([
      { upTo: 32, tile: TILES[3] },
      { upTo: 128, tile: TILES[4] },
      { upTo: 512, tile: TILES[5] },
      { upTo: 2048, tile: TILES[1] },
      { tile: TILES[2] },
    ]);
  });

  it('leaves out the most rows on a slow device, and on one whose bindings are too small for them', async () => {
    const rowsTimed = async (on: Gpu, ms: number) => {
      const timed = new Set<number>();
      const plan = await tune(on, spec, async (_run, _tile, rows) => {
        timed.add(rows);
        return ms;
      });
      expect(plan).toHaveLength(timed.size);
      expect(plan.at(-1)?.upTo).toBeUndefined();
      return [...timed];
    };
    const least = [16, 64, 256, 1024];
    expect(await rowsTimed(gpu, 5)).toEqual([...least, 8192]);
    expect(await rowsTimed(gpu, 6)).toEqual(least);
    const small = { ...gpu, limits: { ...gpu.limits, maxStorageBufferBindingSize: 8191 * 64 * 4 } };
    expect(await rowsTimed(small, 5)).toEqual(least);
  });

  it('times tiles again that are not far from the fastest', async () => {
    const counts = TILES.map(() => 0);
    await tune(gpu, rope, async (_run, tile, rows) => {
      const i = TILES.findIndex((known) => JSON.stringify(known) === JSON.stringify(tile));
      if (rows === 64) counts[i]++;
      return i === 1 ? 1 : i === 2 ? 1.25 : 1.3;
    });
    expect(counts).toEqual([3, 3, 3, 1, 1, 1]); // the first two calls find out how often to repeat
  });

  it.each([spec, rope, { ...spec, epilogue: { kind: 'residual' }, dtype: 'q4' } as GemmSpec])(
    'finds every tile correct for $epilogue.kind with $dtype weights',
    async (each) => {
      for (const tile of TILES) {
        const plan = await tune(
          gpu,
          each,
          fastest(() => tile),
        ); // a wrong tile is never in a plan
        expect(plan.map((entry) => entry.tile)).toEqual(Array(5).fill(tile));
      }
    },
  );
});

describe('tuneGemm on a device with matrix units', () => {
  const matrix = { component: 'f32', m: 8, n: 8, k: 8, threads: 32 } as const;
  const plain: GemmSpec = { ...spec, k: 32, dtype: 'f32' };
  /** The designs of the plan if the last of the correct tiles is the fastest. */
  const designs = async (on: Gpu) => {
    const tiles = tilesFor(on, plain);
    const plan = await tune(on, plain, async (run, tile) => {
      run();
      return tiles.length - tiles.findIndex((known) => JSON.stringify(known) === JSON.stringify(tile));
    });
    return plan.map(({ tile }) => tile.design);
  };

  it('never chooses matrix units that compute wrong results', async () => {
    expect(tilesFor({ ...gpu, subgroupMatrix: matrix }, plain).at(-1)?.design).toBe('matrix');
    const wrong = withMatrices(gpu, matrix, (code) => code.replace('sum += ', 'sum = '));
    expect(new Set(await designs(wrong))).toEqual(new Set(['sliced_k']));
  });

  it('offers f16 matrix units only if the GEMM is in f16', () => {
    const f16 = { ...gpu, subgroupMatrix: { ...matrix, component: 'f16' as const } };
    expect(tilesFor(f16, plain)).toEqual(TILES);
    expect(tilesFor(f16, { ...plain, a: 'f16' })).toEqual(TILES);
    expect(tilesFor(f16, { ...plain, a: 'f16', dtype: 'q4' }).at(-1)?.design).toBe('matrix');
  });
});

it('every use of the device is a piece that has its turn', async () => {
  let inPiece = false;
  const queue = new Proxy(gpu.device.queue, {
    get(target, name) {
      if (!inPiece) throw new Error(`queue.${String(name)} outside of a piece`);
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const device = new Proxy(gpu.device, {
    get(target, name) {
      if (name === 'queue') return queue;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const turn: MeasureTools['turn'] = async (piece) => {
    expect(inPiece).toBe(false);
    inPiece = true;
    try {
      return await piece();
    } finally {
      inPiece = false;
    }
  };
  const plan = await tuneGemm({ ...gpu, device }, spec, { turn, kernel: kernelsOf(gpu) }, async (run) => {
    run();
    return 1;
  });
  expect(plan).toHaveLength(5);
});

describe('createTuner', () => {
  /** The plan of a GEMM before measuring and after it. */
  async function plansOf(on: Gpu, store: Parameters<typeof createTuner>[1]) {
    const tuner = createTuner(on, store);
    const plan = () => gemmPlan(tuner, on, spec, tuneGemm);
    const before = await plan();
    await measureMissing({ tuner, ...toolsOf(on) });
    return { before, after: await plan() };
  }

  it('measures a plan when it is asked to, and stores it under this adapter and shape', async () => {
    const store = memoryStore();
    const { before, after } = await plansOf(gpu, store);
    expect(before).toBeUndefined();
    expect(after?.slice(0, 3).map(({ upTo }) => upTo)).toEqual([32, 128, 512]);
    expect(store.plans).toEqual({ [planKey(gpu, spec)]: after });
    expect(planKey(gpu, spec)).toContain(gpu.info.description);
    expect(planKey(gpu, { ...spec, label: 'other' })).toBe(planKey(gpu, spec));
    expect(planKey(gpu, { ...spec, k: 96 })).not.toBe(planKey(gpu, spec));
  });

  it('has nothing to measure on a device without timestamps', async () => {
    const tuner = createTuner({ hasTimestamps: false }, memoryStore());
    expect(await gemmPlan(tuner, gpu, spec, tuneGemm)).toBeUndefined();
    expect(tuner.missing.size).toBe(0);
  });

  it('uses a stored plan without measuring', async () => {
    const remembered = [{ upTo: 9, tile: TILES[1] }, { tile: TILES[2] }];
    const store = memoryStore({ [planKey(gpu, spec)]: remembered });
    const deviceless = { ...gpu, device: undefined as unknown as GPUDevice };
    expect(await plansOf(deviceless, store)).toEqual({ before: remembered, after: remembered });
  });

  it.each([
    [undefined],
    ['text'],
    [[]],
    [[{ tile: { design: 'workgroup', m: 7, n: 64, k: 16 } }]],
    [[{ upTo: 16, tile: TILES[0] }]],
  ])('measures again if the store returns %j', async (stored) => {
    const { before, after } = await plansOf(gpu, memoryStore({ [planKey(gpu, spec)]: stored }));
    expect(before).toBeUndefined();
    expect(after?.length).toBeGreaterThanOrEqual(4); // on a slow device without the most rows
  });

  it('works with a failing store, and keeps the default for what cannot be measured', async () => {
    const broken = { get: () => Promise.reject(new Error('no')), set: () => Promise.reject(new Error('no')) };
    expect((await plansOf(gpu, broken)).after?.length).toBeGreaterThanOrEqual(4);
    const deviceless = { ...gpu, device: undefined as unknown as GPUDevice };
    expect((await plansOf(deviceless, undefined)).after).toBeUndefined();
  });

  it('does not measure what another model has measured meanwhile', async () => {
    const store = memoryStore();
    const isText = (value: unknown): value is string => typeof value === 'string';
    const measured: string[] = [];
    const tuners = ['first', 'second'].map((name) => {
      const tuner = createTuner(gpu, store);
      const find = () =>
        tuner.find('shape', isText, async () => {
          measured.push(name);
          return `of the ${name}`;
        });
      return { tuner, find };
    });
    for (const { find } of tuners) expect(await find()).toBeUndefined();
    for (const { tuner } of tuners) await measureMissing({ tuner, ...toolsOf(gpu) });
    expect(measured).toEqual(['first']);
    for (const { find } of tuners) expect(await find()).toBe('of the first');
  });

  it('measures anything else by the same rules, also after a failure', async () => {
    const store = memoryStore();
    const tuner = createTuner(gpu, store);
    const isText = (value: unknown): value is string => typeof value === 'string';
    const find = (key: string, measure: () => Promise<string>) => tuner.find(key, isText, measure);
    const fails = () => Promise.reject(new Error('no'));
    expect(await Promise.all([find('one', fails), find('two', async () => 'fast')])).toEqual([undefined, undefined]);
    await measureMissing({ tuner, ...toolsOf(gpu) });
    expect(await Promise.all([find('one', fails), find('two', fails)])).toEqual([undefined, 'fast']);
    expect(store.plans).toEqual({ two: 'fast' });
  });
});

it('what is not measured has a default by the maker of the card', () => {
  const on = (vendor: string, bytes: number, name: 'card' | 'software' = 'card', n = 2304) => {
    const info = { vendor, architecture: '', device: '', description: '' };
    const limits = { ...gpu.limits, maxComputeWorkgroupStorageSize: bytes };
    const plan = defaultPlan({ info, limits, profile: profileOf(info, undefined, { name }) }, { ...rope, n });
    return plan.map(({ upTo, tile: { design, m } }) => [upTo, design, m]);
  };
  const nvidia = [
    [128, 'split_k', 8],
    [2048, 'workgroup', 64],
    [undefined, 'workgroup', 128],
  ];
  expect(on('nvidia', 32768)).toEqual(nvidia);
  const others = PLANS.workgroup.map(({ upTo, tile: { design, m } }) => [upTo, design, m]);
  expect([on('nvidia', 16384), on('amd', 32768)]).toEqual([others, others]);
  expect(on('nvidia', 32768, 'card', 50368)).toEqual(others);
  expect(on('nvidia', 32768, 'software')).not.toEqual(nvidia);
});
