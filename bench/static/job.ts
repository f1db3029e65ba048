/** The work that main.mjs hands to the process on one adapter. */
export interface Job {
  /** Dawn toggles to enable, for example disable_robustness. */
  toggles: string[];
  models: { name: string; config: unknown }[];
  /** WGSL of every kernel by file stem, minified as in bundles. */
  shaders: Record<string, string>;
  /** Compile only pipelines whose name contains all of these words; all if empty. */
  only: string[];
}

/** A pipeline, as named by the markers in the compiler's output. */
export interface Made {
  shader: string;
  kernel: string;
  model: string;
  tier: string;
  /** The same for pipelines with the same WGSL source, which is compiled only once. */
  source: string;
}
