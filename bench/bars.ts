// The project's performance targets (bars), and how a run compares with them.
import type { Bar, Measurements, SetResult, WindowTime } from './report';
import { sum } from './statistics';
import { GEMMS } from './traffic';

/** A set with fewer tokens is not compared with the bars on speed. */
export const LEAST_TOKENS = { software: 2048, card: 4096 };
/** Lengths of the sequences whose window attention is compared. */
export const WINDOWS = [1024, 2048, 4096, 8192];

type Target = Pick<Bar, 'name' | 'bar' | 'is' | 'as'>;
const atLeast = (name: string, bar: number, as: Bar['as'] = 'percent'): Target => ({ name, bar, is: 'at least', as });
const atMost = (name: string, bar: number, as: Bar['as'] = 'percent'): Target => ({ name, bar, is: 'at most', as });

/** One bar per value, or a single one that says that nothing was measured. */
function lines(target: Target, values: { where: string; value: number }[]): Bar[] {
  if (values.length === 0) return [{ ...target, where: 'not measured in this run' }];
  return values.map(({ where, value }) => ({
    ...target,
    where,
    value,
    met: target.is === 'at least' ? value >= target.bar : value <= target.bar,
  }));
}

const where = ({ model, tier, name, tokens }: SetResult) => `${model} ${tier} ${name}, ${tokens} tokens`;

/** GFLOP/s over all GEMMs; undefined without a profile. */
function gemmRate({ kernels }: SetResult): number | undefined {
  const gemms = kernels?.filter(({ label }) => GEMMS.includes(label)) ?? [];
  return gemms.length > 0
    ? sum(gemms.map(({ gflops, ms }) => gflops * ms)) / sum(gemms.map(({ ms }) => ms))
    : undefined;
}

/** One value per set, except for sets where it is undefined. */
const ofSets = (sets: SetResult[], measured: (set: SetResult) => number | undefined) =>
  sets.flatMap((set) => {
    const value = measured(set);
    return value === undefined ? [] : [{ where: where(set), value }];
  });

/** tokens/s of the sets of one tier divided by those of tier `by`, same model and set. */
const speedUps = (sets: SetResult[], tier: string, by: string) =>
  sets
    .filter((set) => set.tier === tier)
    .flatMap((set) => {
      const other = sets.find(({ model, name, tier }) => model === set.model && name === set.name && tier === by);
      return other ? [{ where: where(set), value: set.tokens_per_s / other.tokens_per_s }] : [];
    });

/** Throughput of each variable set divided by that of the fixed set with the same limit and tokens. */
const variableByFixed = (sets: SetResult[]) =>
  sets
    .filter(({ name }) => name.startsWith('variable-'))
    .flatMap((set) => {
      const fixed = set.name.replace('variable', 'fixed');
      const other = sets.find(({ model, tier, name }) => name === fixed && model === set.model && tier === set.tier);
      return other ? [{ where: where(set), value: set.tokens_per_s / other.tokens_per_s }] : [];
    });

/** How much more window attention costs per token at the slowest length than at the fastest, as a fraction. */
function windowSpreads(windows: WindowTime[]) {
  const groups = new Map<string, WindowTime[]>();
  for (const window of windows) {
    const key = `${window.model} ${window.tier}`;
    groups.set(key, [...(groups.get(key) ?? []), window]);
  }
  return [...groups].map(([key, group]) => {
    const costs = group.map(({ us_per_token }) => us_per_token);
    const value = Math.max(...costs) / Math.min(...costs) - 1;
    return { where: `${key}, ${group.map(({ tokens }) => tokens).join(', ')} tokens`, value };
  });
}

/** Bars on the base shape's speed are for documents in f32 arithmetic; other tiers are compared with it. */
export function barsOf({ peaks, sets, windows }: Measurements, isSoftware: boolean): Bar[] {
  const least = isSoftware ? LEAST_TOKENS.software : LEAST_TOKENS.card;
  const enough = sets.filter(({ tokens }) => tokens >= least);
  const base = enough.filter(({ model, tier }) => model === 'base' && tier !== 'shader-f16');
  const large = base.filter(({ name }) => name === 'fixed-512');
  const shareOf = (rate: number | undefined) => (rate === undefined ? undefined : rate / peaks.fma_gflops);
  const kernelShare = (label: string) => (set: SetResult) =>
    shareOf(set.kernels?.find((kernel) => kernel.label === label)?.gflops);
  return [
    ...lines(
      atLeast('GEMMs, share of the FMA peak', isSoftware ? 0.2 : 0.6),
      ofSets(large, (set) => shareOf(gemmRate(set))),
    ),
    ...lines(
      atLeast('whole forward, share of the FMA peak', isSoftware ? 0.12 : 0.5),
      ofSets(large, ({ gflops }) => shareOf(gflops)),
    ),
    ...(isSoftware
      ? []
      : [
          ...lines(
            atLeast('global attention at 8192, share of the FMA peak', 0.4),
            ofSets(
              base.filter(({ name }) => name === 'fixed-8192'),
              kernelShare('attention global'),
            ),
          ),
          ...lines(atLeast('shader-f16 by f16 storage', 1.3, 'times'), speedUps(enough, 'shader-f16', 'f16-storage')),
        ]),
    ...lines(atMost('window attention per token, slowest length over fastest', 0.15), windowSpreads(windows)),
    ...lines(atLeast('variable by fixed throughput, same tokens', 0.95), variableByFixed(enough)),
    ...lines(
      atLeast('useful of issued FLOPs, mixed lengths', 0.9),
      ofSets(
        enough.filter(({ name }) => name.startsWith('variable-')),
        ({ useful_flops_share }) => useful_flops_share,
      ),
    ),
    ...[...new Map(sets.map((set) => [`${set.model} ${set.layers}`, set])).values()].flatMap(({ model, layers }) =>
      lines(
        atMost(`dispatches per pass of ${layers} layers`, 7 * layers + 8, 'number'),
        ofSets(
          sets.filter((set) => set.model === model && set.tier === sets[0].tier),
          ({ dispatches, passes }) => dispatches / passes,
        ).slice(0, 1),
      ),
    ),
  ];
}
