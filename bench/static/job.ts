/** What main.mjs asks of a process on one adapter. */
export interface Job {
  /** Dawn's own switches, such as disable_robustness. */
  toggles: string[];
  models: { name: string; config: unknown }[];
  /** WGSL of every kernel, minified as bundles are, by its file's stem. */
  shaders: Record<string, string>;
  /** Compile only pipelines whose name has all of these words; all if empty. */
  only: string[];
}

/** A pipeline, as the markers in the compiler's output name it. */
export interface Made {
  shader: string;
  kernel: string;
  model: string;
  tier: string;
  /** Equal for pipelines of the same WGSL source, which is compiled once. */
  source: string;
}
