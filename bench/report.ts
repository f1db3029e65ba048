// What a run of the benchmark gives, as it is written to JSON.

/** Where and when it ran, and what. */
export interface Environment {
  date: string;
  /** The project's commit; with -dirty where files differed from it. */
  commit: string;
  /** Node or the browser, with its version. */
  runtime: string;
  adapter: string;
  driver: string;
  features: string[];
  /** Dawn's own switches that were on. */
  toggles: string[];
}

/** The best that the device did in this run on nothing but FMAs, in GFLOP/s, and on nothing but copies, in GB/s. */
export interface Peaks {
  fma_gflops: number;
  copy_gb_s: number;
}

/** All dispatches of one name in a forward pass: milliseconds, floating-point operations that count, and bytes that must move. */
export interface KernelTime {
  label: string;
  ms: number;
  count: number;
  gflops: number;
  peak_share: number;
  /** Of the least traffic (traffic.ts); undefined where it is not known. */
  bytes?: number;
  gb_s?: number;
}

/** One set of documents on one model. `peak_share` is filled in at the end, when the run's best FMA rate is known. */
export interface SetResult {
  name: string;
  model: string;
  dtype: string;
  tier: string;
  layers: number;
  sequences: number;
  /** Tokens of each sequence; other programs can measure the same. */
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

/** One search query, from its text (or ids, where the model has no tokenizer) to its embedding in JavaScript. */
export interface QueryResult {
  name: string;
  model: string;
  tier: string;
  tokens: number;
  runs: number;
  median_ms: number;
  p90_ms: number;
  /** Medians. gpu: from the submit to the end of the work, as JavaScript hears of it. */
  split_ms: { tokenize?: number; encode: number; gpu: number; readback: number };
}

/** Window attention of one sequence, all its layers. */
export interface WindowTime {
  model: string;
  tier: string;
  tokens: number;
  ms: number;
  us_per_token: number;
}

/** What the project holds itself to. `met` is undefined where this run did not measure it. */
export interface Bar {
  name: string;
  where: string;
  value?: number;
  bar: number;
  /** Whether the value has to be at least or at most the bar. */
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
