import type { Task } from '../../api/types';
import type { JsonFields } from '../../formats/json-fields';
import type { Encoder } from '../family';
import type { Rows } from '../heads/rows';
import type { TaskHead } from '../task-head';
import type { Tensors } from '../tensors';

/** What a row is: sentence-transformers' names of features. `scores` are a cross-encoder's, `sparse` has a number per token of the vocabulary. */
export type Feature = 'token_embeddings' | 'sentence_embedding' | 'scores' | 'sparse';

/** A module of sentence-transformers' or PyLate's modules.json after the Transformer, as a value. */
export interface Module {
  /** Its class in modules.json, without the package. */
  kind: string;
  /** Its folder among the checkpoint's files. */
  path: string;
  /** What its rows are. */
  gives: Feature;
  /** Numbers per row after it, for so many before it. */
  columns(before: number): number;
  /** Whose logits it reads, in place of hidden states: those of a checkpoint with the head of this task. */
  task?: Task;
  /** What calls make of a row at the end. Default: the row itself. */
  read?(row: Float32Array): Float32Array;
  /** Declares the tensors of its own model.safetensors. */
  place(tensors: Tensors): PlacedModule;
}

/** A module whose tensors are declared. */
export interface PlacedModule {
  /** Takes rows through the module on the GPU. `head`: the checkpoint's own, of the module's task. */
  apply(rows: Rows, head?: TaskHead): Rows;
  /** Adds what the module needs of each layer to the encoder's steps. */
  extend?(encoder: Encoder): Encoder;
}

/** What stands before a module: what its rows are, and numbers per row. */
export interface Before {
  feature: Feature;
  columns: number;
  /** Whether the hidden states of all layers are there too. */
  hasLayers: boolean;
}

/** Reads a module's config.json. Throws ModelFileError and UnsupportedModelError. */
export type ReadModule = (fields: JsonFields, path: string, before: Before) => Module;

/** Throws an UnsupportedModelError unless the module reads and writes what stands before it. `writes`: what else it may write. */
export function checkFeature(fields: JsonFields, { feature }: Before, writes: string[] = []): void {
  for (const key of ['module_input_name', 'module_output_name']) {
    const known = [feature, ...(key === 'module_output_name' ? writes : [])];
    if (fields.has(key) && !known.includes(fields.json[key] as Feature)) {
      throw fields.unsupported(key, `here it can be ${known.join(' or ')}`);
    }
  }
}

/** A module whose work is not done on rows of the GPU: calls read its fields. */
export const unchanged = {
  columns: (before: number): number => before,
  place: (): PlacedModule => ({ apply: (rows) => rows }),
};
