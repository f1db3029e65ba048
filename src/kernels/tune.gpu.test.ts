import { afterAll, describe, expect, it } from 'vitest';
import type { Gpu } from '../gpu/device';
import { openTestGpu, testGpu } from '../gpu/fixtures';
import { PLANS, tilesFor } from './gemm';
import type { GemmSpec, GemmTile } from './gemm-spec';
import { tuneGemm } from './measure';
import { withMatrices } from './test-matrices';
import { createTuner, planKey } from './tune';

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
    expect(await tuneGemm(gpu, rope, time)).toEqual([
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
      const plan = await tuneGemm(on, spec, async (_run, _tile, rows) => {
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
    await tuneGemm(gpu, rope, async (_run, tile, rows) => {
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
        const plan = await tuneGemm(
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
    const plan = await tuneGemm(on, plain, async (run, tile) => {
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

describe('createTuner', () => {
  it('stores the measured plan under this adapter and shape', async () => {
    const store = memoryStore();
    const plan = await createTuner(gpu, store, tuneGemm)(spec);
    expect(plan?.slice(0, 3).map(({ upTo }) => upTo)).toEqual([32, 128, 512]);
    expect(store.plans).toEqual({ [planKey(gpu, spec)]: plan });
    expect(planKey(gpu, spec)).toContain(gpu.info.description);
    expect(planKey(gpu, { ...spec, label: 'other' })).toBe(planKey(gpu, spec));
    expect(planKey(gpu, { ...spec, k: 96 })).not.toBe(planKey(gpu, spec));
  });

  it('measures nothing on a device without timestamps', async () => {
    const store = memoryStore();
    const clockless = await testGpu()
      .requestAdapter()
      .then((adapter) => adapter!.requestDevice());
    expect(
      await createTuner({ ...gpu, device: clockless, hasTimestamps: false }, store, tuneGemm)(spec),
    ).toBeUndefined();
    expect(store.plans).toEqual({});
    clockless.destroy();
  });

  it('uses a stored plan without measuring', async () => {
    const remembered = [{ upTo: 9, tile: TILES[1] }, { tile: TILES[2] }];
    const store = memoryStore({ [planKey(gpu, spec)]: remembered });
    const deviceless = { ...gpu, device: undefined as unknown as GPUDevice };
    expect(await createTuner(deviceless, store, tuneGemm)(spec)).toEqual(remembered);
  });

  it.each([
    [undefined],
    ['text'],
    [[]],
    [[{ tile: { design: 'workgroup', m: 7, n: 64, k: 16 } }]],
    [[{ upTo: 16, tile: TILES[0] }]],
  ])('measures again if the store returns %j', async (stored) => {
    const plan = await createTuner(gpu, memoryStore({ [planKey(gpu, spec)]: stored }), tuneGemm)(spec);
    expect(plan?.length).toBeGreaterThanOrEqual(4); // on a slow device without the most rows
  });

  it('works with a failing store, and returns undefined if nothing can be measured', async () => {
    const broken = { get: () => Promise.reject(new Error('no')), set: () => Promise.reject(new Error('no')) };
    expect((await createTuner(gpu, broken, tuneGemm)(spec))?.length).toBeGreaterThanOrEqual(4);
    const deviceless = { ...gpu, device: undefined as unknown as GPUDevice };
    expect(await createTuner(deviceless, undefined, tuneGemm)(spec)).toBeUndefined();
    expect(PLANS.workgroup[PLANS.workgroup.length - 1].upTo).toBeUndefined();
  });
});
