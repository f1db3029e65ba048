import { userAgent } from '../gpu/browser';
import type { Gpu } from '../gpu/device';
import { adapterNames, type DeviceStore, hashOf } from '../gpu/remembered';
import { gemmSources, tilesFor } from './gemm';
import type { GemmPlan, GemmSpec, GemmTile } from './gemm-spec';

/**
 * Returns a function that returns a GEMM's plan: the stored one for this adapter and these shaders, or else the fastest tiles, which `measure`
 * (tuneGemm) finds now, one GEMM at a time. A tile whose result is wrong is never used. `undefined` means that measuring failed and the default plan applies.
 */
export function createTuner(
  gpu: Gpu,
  store: DeviceStore | undefined,
  measure: (gpu: Gpu, spec: GemmSpec) => Promise<GemmPlan>,
): (spec: GemmSpec) => Promise<GemmPlan | undefined> {
  let last: Promise<unknown> = Promise.resolve();
  return async (spec) => {
    const key = planKey(gpu, spec);
    const known = await store?.get(key).catch(() => undefined);
    if (isPlan(known, tilesFor(gpu, spec))) return known;
    const measured = last.then(() => measure(gpu, spec)).catch(() => undefined);
    last = measured;
    const plan = await measured;
    if (plan) await store?.set(key, plan).catch(() => {});
    return plan;
  };
}

/**
 * The adapter, the shape and a hash of the shaders, so that a new version of them is measured again. Firefox hides the adapter's names: there it
 * is the browser's version, because that is all that tells one device from the next.
 */
export function planKey(gpu: Gpu, spec: GemmSpec): string {
  const { label: _, ...shape } = spec;
  return JSON.stringify([adapterNames(gpu.info) ?? userAgent(), shape, tilesFor(gpu, spec), hashOf(gemmSources)]);
}

/** A stored value may come from any version: it is a plan only if it consists of today's tiles. */
function isPlan(value: unknown, tiles: GemmTile[]): value is GemmPlan {
  const known = tiles.map((tile) => JSON.stringify(tile));
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every(
      (entry, i) =>
        known.includes(JSON.stringify(entry?.tile)) && (entry.upTo === undefined) === (i === value.length - 1),
    )
  );
}
