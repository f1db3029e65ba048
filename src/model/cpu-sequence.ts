/** What heads make their answers of where there is no GPU: of a table of tokens, or of another runtime's numbers (fallback/). */
import type { Pooling } from '../api/embeddings';
import { unitLength } from './heads/head';
import type { Module } from './modules/module';

/** A sequence, a part of it or one of its tokens. */
export interface CpuSequence {
  /** Its pooled row after these modules. `poolings`: in place of a Pooling's own. */
  through(modules: Module[], poolings?: Pooling[]): Float64Array;
  /** The logits of the checkpoint's head. */
  logits(): Float32Array<ArrayBuffer>;
  /** The k best of the logits: pairs of the id, as bits, and its softmax probability, best first. */
  best(k: number): Float32Array<ArrayBuffer>;
  /** The weights of its tokens that are not 0, each token once, by ascending id. */
  weights(): [id: number, weight: number][];
}

/** What modules that have tensors make of a row, by their paths (table-modules.ts). */
export type Applies = Map<string, (row: Float64Array) => Float64Array>;

/** A pooled row through the modules after its Pooling. */
export const throughModules = (pooled: Float64Array, modules: Module[], applies: Applies): Float64Array =>
  modules.reduce(
    (row, { kind, path }) => (kind === 'Normalize' ? unitLength(row) : (applies.get(path)?.(row) ?? row)),
    pooled,
  );
