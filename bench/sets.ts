// Throughput of sets of documents, of one model or of several in turns.
import type { Profiler } from '../src/gpu/profiler';
import { packPasses } from '../src/packing/passes';
import { type Case, lengthsOf, scaled, sequencesOf, type Tier } from './cases';
import { type Loaded, runPasses } from './passes';
import type { KernelTime, SetResult } from './report';
import { median, sum } from './statistics';
import { trafficOf } from './traffic';

/** A model on the device, in one tier. */
export interface Measured {
  model: string;
  tier: Pick<Tier, 'name' | 'dtype'>;
  loaded: Loaded;
  /** To time every kernel too. */
  profiler?: Profiler;
}

export interface SetOptions {
  /** Timed runs. */
  repeats: number;
  log(line: string): void;
  /** Hears of the tokens of every run: `tokensToRun` in all. */
  ran(tokens: number): void;
  /** Called with results as they come. A later one replaces an earlier one of the same model, tier and name. */
  found(set: SetResult): void;
}

/** Runs that time kernels. */
const profiledRuns = (repeats: number) => Math.min(repeats, 3);

/** A set of documents for a model. */
type SetWork = ReturnType<typeof casesOf>[number];

/** The sets of some models. `tokens`: at most in a case's set. */
export const setsOf = (models: Measured[], cases: Case[], tokens: (shape: Case) => number): SetWork[] =>
  models.flatMap((measured) => casesOf(measured, cases, tokens));

/** Tokens of all runs that measuring some sets takes. */
export const tokensToRun = (work: SetWork[], repeats: number): number =>
  sum(work.map(({ tokens, profiler }) => tokens * (1 + repeats + (profiler ? profiledRuns(repeats) : 0))));

/**
 * Measures sets of documents. Each model's warm up in order of size: buffers only grow, so each set's peak memory is its own. Timed runs
 * alternate between models and sets, so that other load on the machine affects all of them.
 */
export async function measureSets(work: SetWork[], { repeats, log, ran, found }: SetOptions): Promise<void> {
  const first = new Map<SetWork, Awaited<ReturnType<typeof runPasses>> & { peak_bytes: number }>();
  for (const item of [...work].sort((a, b) => a.largest - b.largest)) {
    const { runtime } = item.loaded;
    first.set(item, { ...(await runPasses(runtime, item.passes)), peak_bytes: runtime.memoryUse().peak });
    ran(item.tokens);
  }
  const resultOf = (item: SetWork, kernels?: KernelTime[]) => {
    const { dispatches, flops, issuedFlops, peak_bytes } = first.get(item)!;
    const ms = median(item.times);
    const gflops = flops / ms / 1e6;
    return {
      name: item.shape.name,
      model: item.model,
      dtype: item.tier.dtype,
      tier: item.tier.name,
      layers: item.loaded.config.num_hidden_layers,
      sequences: item.lengths.length,
      lengths: item.lengths,
      tokens: item.tokens,
      passes: item.passes.length,
      ms,
      tokens_per_s: (1000 * item.tokens) / ms,
      gflops,
      peak_share: 0,
      dispatches,
      useful_flops_share: flops / issuedFlops,
      peak_bytes,
      ...(kernels ? { kernels } : {}),
    };
  };
  for (let i = 0; i < repeats; i++) {
    for (const item of work) {
      item.times.push((await runPasses(item.loaded.runtime, item.passes)).ms);
      ran(item.tokens);
      found(resultOf(item));
    }
  }
  for (const item of work) {
    const { name, ms, gflops } = resultOf(item);
    log(`${item.model} ${item.tier.name} ${name}: ${ms.toFixed(1)} ms, ${gflops.toFixed(1)} GFLOP/s`);
    const { profiler } = item;
    if (profiler) found(resultOf(item, await kernelTimes(item, profiler, profiledRuns(repeats), ran)));
  }
}

/** One model's sets; with a small budget, or for a model of short texts, several cases can become the same. */
function casesOf(measured: Measured, cases: Case[], tokensOf: (shape: Case) => number) {
  const { config, info } = measured.loaded;
  const byName = cases.map((given) => {
    const tokens = tokensOf(given);
    const shape = scaled(given, tokens, info.maxTokens);
    const lengths = lengthsOf(shape, tokens);
    const sequences = sequencesOf(lengths, config.vocab_size);
    const passes = packPasses(lengths, info.maxTokensPerPass).map((pass) => pass.map((i) => sequences[i]));
    const largest = Math.max(...passes.map((pass) => sum(pass.map((ids) => ids.length))));
    const item = { ...measured, shape, tokens: sum(lengths), lengths, passes, largest, times: [] as number[] };
    return [shape.name, item] as const;
  });
  return [...new Map(byName.reverse()).values()].reverse(); // the first of a name
}

/** Each kernel's total time over all passes, the median of `repeats` runs, longest first. */
async function kernelTimes(
  { loaded: { runtime }, passes, tokens: all }: SetWork,
  profiler: Profiler,
  repeats: number,
  ran: SetOptions['ran'],
): Promise<KernelTime[]> {
  const traffic = new Map<string, number>();
  for (const pass of passes) {
    const tokens = sum(pass.map((ids) => ids.length));
    for (const [label, bytes] of trafficOf(runtime, tokens)) traffic.set(label, (traffic.get(label) ?? 0) + bytes);
  }
  const runs: Awaited<ReturnType<Profiler['collect']>>[] = [];
  for (let i = 0; i < repeats; i++) {
    await runPasses(runtime, passes, profiler);
    runs.push(await profiler.collect());
    ran(all);
  }
  return [...runs[0]]
    .map(([label, { count, flops }]) => {
      const ms = median(runs.map((run) => run.get(label)!.ms));
      const bytes = traffic.get(label);
      const gb_s = bytes === undefined ? undefined : bytes / ms / 1e6;
      return { label, ms, count, gflops: flops / ms / 1e6, peak_share: 0, bytes, gb_s };
    })
    .sort((a, b) => b.ms - a.ms);
}
