import { loadRuntime } from '../src/encoder';
import { folderFiles } from '../src/files/folder';
import { createProfiler, type Profiler } from '../src/gpu/profiler';
import type { HeadRequest } from '../src/model/runtime';
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
  /** Median time of all passes, from token ids to embeddings in JavaScript. */
  ms: number;
  tokens_per_s: number;
  gflops: number;
  peak_share: number;
  dispatches: number;
  useful_flops_share: number;
  peak_bytes: number;
  kernels?: KernelTime[];
}

export interface Measured {
  result: CaseResult;
  fma_peak_gflops: number;
}

export interface MeasureOptions {
  gpu: GPU;
  tokens: number;
  repeats: number;
  profile: boolean;
}

/** Loads the model anew, so that the peak of its memory is the case's own, and measures the FMA peak on the same device. */
export async function measure(model: BenchModel, tier: Tier, given: Case, options: MeasureOptions): Promise<Measured> {
  const { dtype, arithmetic } = tier;
  const { gpu, tokens: budget, repeats, profile } = options;
  const { runtime, config, info } = await loadRuntime(model.folder, { gpu, dtype, arithmetic, folder: folderFiles });
  try {
    const profiler = profile ? createProfiler(runtime.gpu) : undefined;
    const fma_peak_gflops = await fmaPeak(runtime.gpu);
    const shape = scaled(given, budget, info.maxTokens);
    const lengths = lengthsOf(shape, budget);
    const sequences = sequencesOf(lengths, config.vocab_size);
    const passes = planPasses(lengths, info.maxTokensPerPass).map((pass) => pass.map((i) => sequences[i]));
    const run = async (profiler?: Profiler) => {
      const sums = { dispatches: 0, flops: 0, issuedFlops: 0 };
      const start = performance.now();
      for (const pass of passes) {
        const { dispatches, flops, issuedFlops } = await runtime.run(pass, [embeddings(pass.length)], { profiler });
        sums.dispatches += dispatches;
        sums.flops += flops;
        sums.issuedFlops += issuedFlops;
      }
      return { ...sums, ms: performance.now() - start };
    };
    const { dispatches, flops, issuedFlops } = await run();
    const times: number[] = [];
    for (let i = 0; i < repeats; i++) times.push((await run()).ms);
    const ms = median(times);
    const tokens = lengths.reduce((a, b) => a + b);
    const result: CaseResult = {
      name: shape.name,
      model: model.name,
      dtype,
      tier: tier.name,
      sequences: lengths.length,
      tokens,
      ms,
      tokens_per_s: (1000 * tokens) / ms,
      gflops: flops / ms / 1e6,
      peak_share: 0,
      dispatches,
      useful_flops_share: flops / issuedFlops,
      peak_bytes: runtime.memoryUse().peak,
    };
    if (profiler) {
      await run(profiler);
      result.kernels = [...(await profiler.collect())]
        .map(([label, { ms, count, flops }]) => ({ label, ms, count, gflops: flops / ms / 1e6, peak_share: 0 }))
        .sort((a, b) => b.ms - a.ms);
    }
    return { result, fma_peak_gflops };
  } finally {
    runtime.dispose();
  }
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
