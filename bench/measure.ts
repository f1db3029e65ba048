import { loadRuntime } from '../src/encoder';
import { folderFiles } from '../src/files/folder';
import { createProfiler, type Profiler } from '../src/gpu/profiler';
import type { HeadRequest } from '../src/model/head-runner';
import type { Runtime } from '../src/model/runtime';
import { planPasses } from '../src/packing/plan';
import { type Case, lengthsOf, scaled, sequencesOf } from './cases';
import { fmaPeak } from './fma-peak';
import type { BenchModel } from './models';
import type { Tier } from './tiers';

export interface KernelTime {
  label: string;
  ms: number;
  count: number;
  gflops: number;
  peak_share: number;
}

/** One line of the results; `peak_share` is filled in at the end, when the run's best FMA rate is known. */
export interface CaseResult {
  name: string;
  model: string;
  dtype: string;
  tier: string;
  sequences: number;
  tokens: number;
  /** Median time of all passes. */
  ms: number;
  tokens_per_s: number;
  gflops: number;
  peak_share: number;
  dispatches: number;
  useful_flops_share: number;
  peak_bytes: number;
  kernels?: KernelTime[];
}

export interface MeasureOptions {
  gpu: GPU;
  tokens: number;
  repeats: number;
  profile: boolean;
}

/**
 * Measures the cases on one model, and the FMA peak on the same device before and after. The smallest case goes first: buffers only
 * grow, so the peak of memory is then each case's own.
 */
export async function measure(
  model: BenchModel,
  tier: Tier,
  cases: Case[],
  options: MeasureOptions,
): Promise<{ results: CaseResult[]; fma_peak_gflops: number }> {
  const { dtype, arithmetic } = tier;
  const { gpu, tokens, repeats, profile } = options;
  const loaded = await loadRuntime(model.folder, { gpu, dtype, arithmetic, folder: folderFiles });
  const { runtime, config, info } = loaded;
  try {
    const profiler = profile ? createProfiler(runtime.gpu) : undefined;
    const before = await fmaPeak(runtime.gpu);
    // A small budget makes one case of some.
    const shapes = new Map(
      cases.map((given) => scaled(given, tokens, info.maxTokens)).map((shape) => [shape.name, shape]),
    );
    const work = [...shapes.values()].map((shape) => {
      const lengths = lengthsOf(shape, tokens);
      const sequences = sequencesOf(lengths, config.vocab_size);
      const passes = planPasses(lengths, info.maxTokensPerPass).map((pass) => pass.map((i) => sequences[i]));
      const largest = Math.max(...passes.map((pass) => sum(pass.map((ids) => ids.length))));
      return { shape, tokens: sum(lengths), sequences: lengths.length, passes, largest };
    });
    const results = new Map<(typeof work)[number], CaseResult>();
    for (const item of [...work].sort((a, b) => a.largest - b.largest)) {
      const { shape, sequences, passes } = item;
      const { dispatches, flops, issuedFlops } = await runPasses(runtime, passes);
      const times: number[] = [];
      for (let i = 0; i < repeats; i++) times.push((await runPasses(runtime, passes)).ms);
      const ms = median(times);
      const gflops = flops / ms / 1e6;
      const result: CaseResult = {
        name: shape.name,
        model: model.name,
        dtype,
        tier: tier.name,
        sequences,
        tokens: item.tokens,
        ms,
        tokens_per_s: (1000 * item.tokens) / ms,
        gflops,
        peak_share: 0,
        dispatches,
        useful_flops_share: flops / issuedFlops,
        peak_bytes: runtime.memoryUse().peak,
      };
      if (profiler) {
        await runPasses(runtime, passes, profiler);
        result.kernels = [...(await profiler.collect())]
          .map(([label, time]) => ({ label, ...time }))
          .map(({ label, ms, count, flops }) => ({ label, ms, count, gflops: flops / ms / 1e6, peak_share: 0 }))
          .sort((a, b) => b.ms - a.ms);
      }
      results.set(item, result);
      console.error(`${model.name} ${tier.name} ${shape.name}: ${ms.toFixed(1)} ms, ${gflops.toFixed(1)} GFLOP/s`);
    }
    const fma_peak_gflops = Math.max(before, await fmaPeak(runtime.gpu));
    return { results: work.map((item) => results.get(item)!), fma_peak_gflops };
  } finally {
    runtime.dispose();
  }
}

/** From token ids to embeddings in JavaScript, one pass after the other. */
async function runPasses(runtime: Runtime, passes: Uint32Array[][], profiler?: Profiler) {
  const sums = { dispatches: 0, flops: 0, issuedFlops: 0 };
  const start = performance.now();
  for (const pass of passes) {
    const { dispatches, flops, issuedFlops } = await runtime.run(pass, [embeddings(pass.length)], { profiler });
    sums.dispatches += dispatches;
    sums.flops += flops;
    sums.issuedFlops += issuedFlops;
  }
  return { ...sums, ms: performance.now() - start };
}

/** What an index of documents is made of: the mean of each sequence's hidden states, normalised. */
const embeddings = (sequences: number): HeadRequest => ({
  head: { kind: 'pooled', pooling: 'mean', normalize: true },
  indices: Uint32Array.from({ length: sequences }, (_, i) => i),
});

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
