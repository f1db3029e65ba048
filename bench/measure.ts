import { createProfiler, type Profiler } from '../src/gpu/profiler';
import { packPasses } from '../src/packing/passes';
import type { Runtime } from '../src/runtime/runtime';
import { loadRuntime, type OpenOptions } from '../src/session/load-runtime';
import { type Case, lengthsOf, scaled, sequencesOf, type Tier } from './cases';
import { measureQueries } from './latency';
import type { BenchModel } from './models';
import { type Loaded, runPasses } from './passes';
import { copyPeak, fmaPeak } from './peaks';
import type { KernelTime, Measurements, SetResult, WindowTime } from './report';
import { median, sum } from './statistics';
import { trafficOf } from './traffic';

export interface MeasureOptions extends Pick<OpenOptions, 'gpu' | 'folder' | 'profile'> {
  /** Most tokens per set. */
  tokens: number;
  /** Timed runs per set, and per query. */
  repeats: number;
  queryRepeats: number;
  /** Whether to time every kernel. */
  kernels: boolean;
  /** Lengths of the sequences whose window attention is timed. */
  windows: number[];
  log(line: string): void;
  /** Called with results as they come. A later one replaces an earlier one of the same model, tier and name. */
  found(results: Partial<Measurements>): void;
}

/** Measures the cases for one model and tier, and the device's peaks before and after. */
export async function measure(model: BenchModel, tier: Tier, cases: Case[], options: MeasureOptions): Promise<void> {
  const { gpu, folder, profile, kernels, log, found } = options;
  const { name: _, ...how } = tier;
  const loaded = await loadRuntime(model.source, { gpu, folder, profile, ...how });
  const { runtime } = loaded;
  const name = `${model.name} ${tier.name}`;
  const of = { model: model.name, tier: tier.name };
  const peaks = async () => ({ fma_gflops: await fmaPeak(runtime.gpu), copy_gb_s: await copyPeak(runtime.gpu) });
  try {
    const profiler = kernels ? createProfiler(runtime.gpu) : undefined;
    const before = await peaks();
    found({ peaks: before });
    log(`${name}: FMA peak ${before.fma_gflops.toFixed(1)} GFLOP/s, copy ${before.copy_gb_s.toFixed(1)} GB/s`);
    // With a small budget several cases can become the same.
    const shapes = [
      ...new Map(
        cases.map((given) => scaled(given, options.tokens, loaded.info.maxTokens)).map((shape) => [shape.name, shape]),
      ).values(),
    ];
    await measureSets(
      loaded,
      shapes.filter(({ kind }) => kind !== 'query'),
      options,
      profiler,
      (set) => found({ sets: [{ ...of, dtype: tier.dtype, ...set }] }),
    );
    const limits = shapes.filter(({ kind }) => kind === 'query').map(({ limit }) => limit);
    await measureQueries(loaded, limits, options.queryRepeats, (query) => found({ queries: [{ ...of, ...query }] }));
    const windows = profiler ? await windowTimes(runtime, profiler, options.windows, options.repeats) : [];
    found({ windows: windows.map((window) => ({ ...of, ...window })), peaks: await peaks() });
  } finally {
    runtime.dispose();
  }
}

/**
 * Measures sets of documents. They warm up in order of size: buffers only grow, so each set's peak memory is its own. Timed runs alternate
 * between the sets, so that other load on the machine affects all of them.
 */
async function measureSets(
  { runtime, config, info }: Loaded,
  cases: Case[],
  { tokens, repeats, log }: MeasureOptions,
  profiler: Profiler | undefined,
  found: (set: Omit<SetResult, 'model' | 'tier' | 'dtype'>) => void,
): Promise<void> {
  const work = cases.map((shape) => {
    const lengths = lengthsOf(shape, tokens);
    const sequences = sequencesOf(lengths, config.vocab_size);
    const passes = packPasses(lengths, info.maxTokensPerPass).map((pass) => pass.map((i) => sequences[i]));
    const largest = Math.max(...passes.map((pass) => sum(pass.map((ids) => ids.length))));
    return { shape, tokens: sum(lengths), lengths, passes, largest, times: [] as number[] };
  });
  const first = new Map<(typeof work)[number], Awaited<ReturnType<typeof runPasses>> & { peak_bytes: number }>();
  for (const item of [...work].sort((a, b) => a.largest - b.largest)) {
    first.set(item, { ...(await runPasses(runtime, item.passes)), peak_bytes: runtime.memoryUse().peak });
  }
  const resultOf = (item: (typeof work)[number], kernels?: KernelTime[]) => {
    const { dispatches, flops, issuedFlops, peak_bytes } = first.get(item)!;
    const ms = median(item.times);
    const gflops = flops / ms / 1e6;
    return {
      name: item.shape.name,
      layers: config.num_hidden_layers,
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
      item.times.push((await runPasses(runtime, item.passes)).ms);
      found(resultOf(item));
    }
  }
  for (const item of work) {
    const { name, ms, gflops } = resultOf(item);
    log(`${name}: ${ms.toFixed(1)} ms, ${gflops.toFixed(1)} GFLOP/s`);
    if (profiler) found(resultOf(item, await kernelTimes(runtime, item.passes, profiler, Math.min(repeats, 3))));
  }
}

/** Each kernel's total time over all passes, the median of `repeats` runs, longest first. */
async function kernelTimes(
  runtime: Runtime,
  passes: Uint32Array[][],
  profiler: Profiler,
  repeats: number,
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

/**
 * Time of window attention, which should grow linearly with the length: one sequence per length, alternating, the best of `repeats` runs
 * (other load on the machine does not affect all lengths alike). Empty if no layer has a window.
 */
async function windowTimes(
  runtime: Runtime,
  profiler: Profiler,
  lengths: number[],
  repeats: number,
): Promise<Omit<WindowTime, 'model' | 'tier'>[]> {
  const sequences = sequencesOf(lengths, runtime.model.config.vocab_size);
  const times = lengths.map((): number[] => []);
  for (let i = 0; i <= repeats; i++) {
    for (const [s, ids] of sequences.entries()) {
      await runtime.run([ids], [], { profiler });
      const window = (await profiler.collect()).get('attention window');
      if (!window) return [];
      if (i > 0) times[s].push(window.ms);
    }
  }
  return lengths.map((tokens, s) => {
    const ms = Math.min(...times[s]);
    return { tokens, ms, us_per_token: (1000 * ms) / tokens };
  });
}
