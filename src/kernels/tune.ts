import { userAgent } from '../gpu/browser';
import type { Gpu } from '../gpu/device';
import type { Kernel, KernelSpec } from '../gpu/kernel';
import { adapterNames, type DeviceStore, hashOf } from '../gpu/remembered';
import { type AttentionPlan, type AttentionSpec, attentionCandidates, attentionSources } from './attention';
import { gemmSources, tilesFor } from './gemm';
import type { GemmPlan, GemmSpec } from './gemm-spec';

/** Runs a piece of measuring when the device is free for it. The pieces are short, because a query may have to wait for one. */
export type Turn = <T>(piece: () => T | Promise<T>) => Promise<T>;

export interface MeasureTools {
  turn: Turn;
  /** Compiles a kernel; equal ones only once, the model's own among them. */
  kernel: (spec: KernelSpec) => Promise<Kernel>;
}

/** Finds what is fastest on this device. Every use of the device is a piece. */
export type Measure<P> = (tools: MeasureTools) => Promise<P>;

export type Tuner = ReturnType<typeof createTuner>;

/** Looks for plans that were measured on this device, and notes what is still to be measured. Knows nothing of what the plans are for. */
export function createTuner({ hasTimestamps }: Pick<Gpu, 'hasTimestamps'>, store: DeviceStore | undefined) {
  const plans = new Map<string, Promise<unknown>>();
  /** By the key that the plan will have in the store. */
  const missing = new Map<string, Measure<unknown>>();
  return {
    store,
    plans,
    missing,
    /** Resolves to undefined if there is no plan yet: the default applies. `isPlan`: a stored value may come from any version. */
    find<P>(key: string, isPlan: (value: unknown) => value is P, measure: Measure<P>): Promise<P | undefined> {
      const inStore = async () => {
        const stored = await store?.get(key).catch(() => undefined);
        return isPlan(stored) ? stored : undefined;
      };
      const lookUp = async () => {
        const plan = await inStore();
        // By then another model may have measured it, or GLiNER's other encoder.
        if (!plan && hasTimestamps) missing.set(key, async (tools) => (await inStore()) ?? measure(tools));
        return plan;
      };
      const found = plans.get(key) ?? lookUp();
      plans.set(key, found);
      return found as Promise<P | undefined>;
    },
  };
}

/** The measured plan of a GEMM, if there is one. `measure`: tuneGemm. */
export const gemmPlan = (
  tuner: Tuner,
  gpu: Gpu,
  spec: GemmSpec,
  measure: (gpu: Gpu, spec: GemmSpec, tools: MeasureTools) => Promise<GemmPlan>,
): Promise<GemmPlan | undefined> =>
  tuner.find(planKey(gpu, spec), isPlanOf(tilesFor(gpu, spec)), (tools) => measure(gpu, spec, tools));

/** Likewise of attention. A bias by distance, which every tile adds in the same way, is not measured. `measure`: tuneAttention. */
export const measuredAttention = (
  tuner: Tuner,
  gpu: Gpu,
  { relative: _, ...spec }: AttentionSpec,
  measure: (gpu: Gpu, spec: AttentionSpec, tools: MeasureTools) => Promise<AttentionPlan>,
): Promise<AttentionPlan | undefined> => {
  const tiles = attentionCandidates(gpu, spec);
  return tuner.find(keyOf(gpu, spec, tiles, attentionSources), isPlanOf(tiles), (tools) => measure(gpu, spec, tools));
};

export function planKey(gpu: Gpu, spec: GemmSpec): string {
  const { label: _, ...shape } = spec;
  return keyOf(gpu, shape, tilesFor(gpu, spec), gemmSources);
}

/**
 * The adapter, the shape and a hash of the shaders, so that a new version of them is measured again. Firefox hides the adapter's names: there it
 * is the browser's version, because that is all that tells one device from the next.
 */
const keyOf = (gpu: Gpu, shape: object, tiles: object[], sources: string): string =>
  JSON.stringify([adapterNames(gpu.info) ?? userAgent(), shape, tiles, hashOf(sources)]);

/** Returns whether a value is a plan of these tiles. */
const isPlanOf =
  <Tile>(tiles: Tile[]) =>
  (value: unknown): value is { upTo?: number; tile: Tile }[] => {
    const known = tiles.map((tile) => JSON.stringify(tile));
    return (
      Array.isArray(value) &&
      value.length > 0 &&
      value.every(
        (entry, i) =>
          known.includes(JSON.stringify(entry?.tile)) && (entry.upTo === undefined) === (i === value.length - 1),
      )
    );
  };
