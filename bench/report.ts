// The results of a run, as written to JSON.
import type { ProfileName } from '../src/api/types';

/** Where and when it ran, and which version. */
export interface Environment {
  date: string;
  /** The project's commit, with -dirty if files differed from it. */
  commit: string;
  /** Node or the browser, with its version. */
  runtime: string;
  adapter: string;
  driver: string;
  features: string[];
  /** The designs that were used; undefined in files of before there were profiles. */
  profile?: ProfileName;
  /** Dawn toggles that were enabled. */
  toggles: string[];
}

/** The best rates in this run: of FMAs alone, in GFLOP/s, and of copies alone, in GB/s. */
export interface Peaks {
  fma_gflops: number;
  copy_gb_s: number;
}

/** All dispatches with one label: time, rate of useful FLOPs, and memory traffic. */
export interface KernelTime {
  label: string;
  ms: number;
  count: number;
  gflops: number;
  peak_share: number;
  /** The least bytes that must move (traffic.ts); undefined if unknown. */
  bytes?: number;
  gb_s?: number;
}

/** One set of documents on one model. `peak_share` is set at the end, when the run's best FMA rate is known. */
export interface SetResult {
  name: string;
  model: string;
  dtype: string;
  tier: string;
  layers: number;
  sequences: number;
  /** Tokens of each sequence, so that other programs can measure the same. */
  lengths: number[];
  tokens: number;
  passes: number;
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

/** One search query, from its text (or ids, if the model has no tokenizer) to its embedding in JavaScript. */
export interface QueryResult {
  name: string;
  model: string;
  tier: string;
  tokens: number;
  runs: number;
  median_ms: number;
  p90_ms: number;
  /** Medians. encode: until the last submit; gpu: from then until JavaScript learns that the work is done. The GPU begins with the first submit. */
  split_ms: { tokenize?: number; encode: number; gpu: number; readback: number };
}

/** Window attention of one sequence over all layers. */
export interface WindowTime {
  model: string;
  tier: string;
  tokens: number;
  ms: number;
  us_per_token: number;
}

/** A performance target of the project. `met` is undefined if this run did not measure it. */
export interface Bar {
  name: string;
  where: string;
  value?: number;
  bar: number;
  /** Whether the value must be at least or at most the bar. */
  is: 'at least' | 'at most';
  as: 'percent' | 'times' | 'number';
  met?: boolean;
}

export interface Measurements {
  peaks: Peaks;
  sets: SetResult[];
  queries: QueryResult[];
  windows: WindowTime[];
}

export interface Report extends Environment, Measurements {
  bars: Bar[];
}
