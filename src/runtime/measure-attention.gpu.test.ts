import { afterAll, describe, expect, it } from 'vitest';
import { type Gpu, openGpu } from '../gpu/device';
import { openTestGpu, withShaders } from '../gpu/fixtures';
import { type AttentionSpec, type AttentionTile, attentionCandidates } from '../kernels/attention';
import { kernelsOf } from '../kernels/compile';
import { headsLayout } from '../kernels/layout';
import type { MeasureTools } from '../kernels/tune';
import { tuneAttention } from './measure-attention';

// Inner loops as they are written: lavapipe takes long to compile them unrolled.
const opened = await openTestGpu();
const gpu: Gpu = { ...opened, profile: { ...opened.profile, unroll: 1 } };
afterAll(() => gpu.device.destroy());

const global: AttentionSpec = { ...headsLayout(2, 64), act: 'f32', window: 0 };
const window: AttentionSpec = { ...headsLayout(2, 32), act: 'f32', window: 64 };

/** Each piece at once. */
const toolsOf = (on: Gpu): MeasureTools => ({ turn: async (piece) => piece(), kernel: kernelsOf(on) });
/** A timer that runs the work and reports one tile as the fastest. */
const fastest =
  (rowsFor: (tokens: number) => number) => async (run: () => void, tile: AttentionTile, tokens: number) => {
    run();
    return tile.rows === rowsFor(tokens) ? 1 : 5;
  };

describe('tuneAttention', () => {
  it.each([global, window])('chooses the fastest tile for each number of tokens, window $window', async (spec) => {
    const time = fastest((tokens) => (tokens <= 128 ? 16 : tokens <= 512 ? 32 : 64));
    const [large, middle, small] = attentionCandidates(gpu, spec);
    expect(await tuneAttention(gpu, spec, toolsOf(gpu), time)).toEqual([
      { upTo: 256, tile: small },
      { upTo: 1024, tile: middle },
      { tile: large },
    ]);
  });

  it('leaves out many tokens on a slow device, and where a binding is too small for them', async () => {
    const rowsTimed = async (on: Gpu, ms: number) => {
      const timed = new Set<number>();
      await tuneAttention(on, window, toolsOf(on), async (_run, _tile, tokens) => {
        timed.add(tokens);
        return ms;
      });
      return [...timed];
    };
    expect(await rowsTimed(gpu, 5)).toEqual([128, 512, 4096]);
    expect(await rowsTimed(gpu, 6)).toEqual([128]);
    const small = { ...gpu, limits: { ...gpu.limits, maxStorageBufferBindingSize: 4095 * window.qkv * 4 } };
    expect(await rowsTimed(small, 5)).toEqual([128, 512]);
  });

  it('never chooses a tile that computes something else than the first', async () => {
    const changed = withShaders((code) =>
      code.includes('const ROWS: u32 = 16;') ? code.replace('key_unroll < CHUNK', 'key_unroll < CHUNK - 1') : code,
    );
    const wrong: Gpu = { ...(await openGpu(changed)), profile: gpu.profile };
    const plan = await tuneAttention(
      wrong,
      window,
      toolsOf(wrong),
      fastest(() => 16),
    );
    wrong.device.destroy();
    expect(plan.map(({ tile }) => tile.rows)).toEqual([64, 64, 64]);
  });
});
