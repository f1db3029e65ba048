import type { ProfileName } from '../src/api/types';
import { openGpu } from '../src/gpu/device';
import { isSoftware } from '../src/gpu/profile';
import type { OpenOptions } from '../src/session/load-runtime';
import { barsOf, LEAST_TOKENS, WINDOWS } from './bars';
import { type Case, TIERS, type Tier, type TierName, USUAL_TIERS } from './cases';
import { measure } from './measure';
import type { BenchModel } from './models';
import type { Bar, Environment, Measurements } from './report';
import type { Step } from './steps';
import { UsageError } from './usage-error';

export interface SuiteOptions extends Pick<OpenOptions, 'folder'> {
  gpu: GPU | undefined;
  models: BenchModel[];
  cases: Case[];
  /** Default: the usual ones that model and device support. */
  tiers?: TierName[];
  tokens?: number;
  repeats?: number;
  queryRepeats?: number;
  /** The designs to use instead of those for the adapter. */
  profile?: ProfileName;
  /** Also time every kernel. */
  kernels?: boolean;
  /** Also measure what the bars need. */
  bars?: boolean;
  log(line: string): void;
  onStep?(step: Step): void;
  /** Called with all results so far, whenever there are more. */
  onResult?(results: SuiteResults): void;
}

export type SuiteResults = Measurements & { bars: Bar[] } & Pick<
    Environment,
    'adapter' | 'driver' | 'features' | 'profile'
  >;

/** Measures every model in every tier, in Node or in a page. Throws a UsageError if the device lacks a required feature. */
export async function runSuite(options: SuiteOptions): Promise<SuiteResults> {
  const { gpu, models, bars = false, log } = options;
  const opened = await openGpu(gpu, options.profile && { name: options.profile });
  const { device, info, hasF16, hasTimestamps } = opened;
  const profile = opened.profile.name;
  const isOnCpu = isSoftware(info);
  const features = [...device.features].sort();
  device.destroy();
  const kernels = (options.kernels ?? false) || bars;
  if (kernels && !hasTimestamps) {
    throw new UsageError(
      'This device does not support timestamp-query, which --kernels and --bars need to time kernels.',
    );
  }
  const names = options.tiers ?? USUAL_TIERS;
  const tiers = TIERS.filter(({ name, arithmetic }) => names.includes(name) && (arithmetic === 'f32' || hasF16));
  if (tiers.length === 0) throw new UsageError(`tiers ${names}: this device does not support shader-f16.`);
  // Browsers leave some of the adapter's info empty.
  const adapter = info.device || `${info.vendor} ${info.architecture}`.trim();
  log(`${adapter} (${info.description || 'driver unknown'}), profile ${profile}`);

  const all: Measurements = { peaks: { fma_gflops: 0, copy_gb_s: 0 }, sets: [], queries: [], windows: [] };
  const results = () => {
    for (const set of all.sets) {
      set.peak_share = set.gflops / all.peaks.fma_gflops;
      for (const kernel of set.kernels ?? []) kernel.peak_share = kernel.gflops / all.peaks.fma_gflops;
    }
    return { adapter, driver: info.description, features, profile, ...all, bars: barsOf(all, isOnCpu) };
  };
  const found = ({ peaks, sets = [], queries = [], windows = [] }: Partial<Measurements>) => {
    all.peaks.fma_gflops = Math.max(all.peaks.fma_gflops, peaks?.fma_gflops ?? 0);
    all.peaks.copy_gb_s = Math.max(all.peaks.copy_gb_s, peaks?.copy_gb_s ?? 0);
    for (const set of sets) {
      const at = all.sets.findIndex(
        (old) => [old.model, old.tier, old.name].join() === [set.model, set.tier, set.name].join(),
      );
      if (at < 0) all.sets.push(set);
      else all.sets[at] = set;
    }
    all.queries.push(...queries);
    all.windows.push(...windows);
    options.onResult?.(results());
  };
  const parts = models.flatMap((model) => tiersOf(model, tiers, options.tiers));
  let part = 0;
  for (const model of models) {
    const tokens = options.tokens ?? (isOnCpu ? (model.isSmall || bars ? LEAST_TOKENS.software : 512) : 32768);
    const repeats = options.repeats ?? (isOnCpu ? 3 : 5);
    for (const [i, tier] of tiersOf(model, tiers, options.tiers).entries()) {
      await measure(model, tier, options.cases, {
        ...options,
        gpu,
        tokens,
        repeats,
        queryRepeats: options.queryRepeats ?? (isOnCpu ? 10 : 50),
        kernels,
        part: `${model.name} ${tier.name}, ${++part} of ${parts.length}`,
        onStep: options.onStep ?? (() => {}),
        // A sequence of 8192 tokens takes a CPU minutes at base's shape, and the cost per token depends on the length in the same way in
        // a small model and in every tier.
        windows: bars && (!isOnCpu || (model.isSmall && i === 0)) ? WINDOWS : [],
        found,
      });
    }
  }
  return results();
}

/** Large checkpoints run only with f16 weights, as published ones of their size are used; f32 would tell nothing new. */
const tiersOf = (model: BenchModel, tiers: Tier[], chosen: TierName[] | undefined): Tier[] =>
  model.isSmall || chosen ? tiers : tiers.filter(({ dtype }) => dtype === 'f16');
