import { createProfiler, type Profiler } from '../src/gpu/profiler';
import type { Runtime } from '../src/runtime/runtime';
import { loadRuntime, type OpenOptions } from '../src/session/load-runtime';
import { type Case, scaled, sequencesOf, type Tier } from './cases';
import { measureQueries, queryTokens } from './latency';
import type { BenchModel } from './models';
import { copyPeak, fmaPeak } from './peaks';
import type { Measurements, WindowTime } from './report';
import { measureSets, setsOf, tokensToRun } from './sets';
import { sum } from './statistics';
import { type Step, tokenSteps } from './steps';

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
  /** What this is called in steps, such as `nano f32, 1 of 2`. */
  part: string;
  onStep(step: Step): void;
  /** Called with results as they come. A later one replaces an earlier one of the same model, tier and name. */
  found(results: Partial<Measurements>): void;
}

/** Measures the cases for one model and tier, and the device's peaks before and after. */
export async function measure(model: BenchModel, tier: Tier, cases: Case[], options: MeasureOptions): Promise<void> {
  const { gpu, folder, profile, kernels, log, part, onStep, found } = options;
  onStep({ what: `Loading ${part}` });
  const { name: _, ...how } = tier;
  const loaded = await loadRuntime(model.source, { gpu, folder, profile, ...how });
  const { runtime } = loaded;
  const name = `${model.name} ${tier.name}`;
  const of = { model: model.name, tier: tier.name };
  const peaks = async () => ({ fma_gflops: await fmaPeak(runtime.gpu), copy_gb_s: await copyPeak(runtime.gpu) });
  try {
    const profiler = kernels ? createProfiler(runtime.gpu) : undefined;
    const { tokens, repeats, queryRepeats } = options;
    const measured = { model: model.name, tier, loaded, profiler };
    const sets = cases.filter(({ kind }) => kind !== 'query');
    const work = setsOf([measured], sets, () => tokens);
    const queries = cases.filter(({ kind }) => kind === 'query');
    const limits = [...new Set(queries.map((given) => scaled(given, tokens, loaded.info.maxTokens).limit))];
    const ran = tokenSteps(
      `Measuring ${part}`,
      tokensToRun(work, repeats) +
        queryTokens(limits, queryRepeats) +
        (profiler ? sum(options.windows) * (1 + repeats) : 0),
      onStep,
    );
    const before = await peaks();
    found({ peaks: before });
    log(`${name}: FMA peak ${before.fma_gflops.toFixed(1)} GFLOP/s, copy ${before.copy_gb_s.toFixed(1)} GB/s`);
    await measureSets(work, { repeats, log, ran, found: (set) => found({ sets: [set] }) });
    await measureQueries(loaded, limits, queryRepeats, (query) => found({ queries: [{ ...of, ...query }] }), ran);
    const windows = profiler ? await windowTimes(runtime, profiler, options.windows, repeats, ran) : [];
    found({ windows: windows.map((window) => ({ ...of, ...window })), peaks: await peaks() });
  } finally {
    runtime.dispose();
  }
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
  ran: (tokens: number) => void,
): Promise<Omit<WindowTime, 'model' | 'tier'>[]> {
  const sequences = sequencesOf(lengths, runtime.model.config.vocab_size);
  const times = lengths.map((): number[] => []);
  for (let i = 0; i <= repeats; i++) {
    for (const [s, ids] of sequences.entries()) {
      await runtime.run([ids], [], { profiler });
      const window = (await profiler.collect()).get('attention window');
      ran(lengths[s]);
      if (!window) return [];
      if (i > 0) times[s].push(window.ms);
    }
  }
  return lengths.map((tokens, s) => {
    const ms = Math.min(...times[s]);
    return { tokens, ms, us_per_token: (1000 * ms) / tokens };
  });
}
