import type { JsonFields } from '../../formats/json-fields';
import type { Rows } from '../heads/rows';
import type { Tensors } from '../tensors';

/** A module of sentence-transformers' or PyLate's modules.json after the Transformer, as a value. */
export interface Module {
  /** Its class in modules.json, without the package. */
  kind: string;
  /** Its folder among the checkpoint's files. */
  path: string;
  /** Numbers per row after it, for so many before it. */
  columns(before: number): number;
  /** Declares the tensors of its own model.safetensors. The result takes rows through the module on the GPU. */
  place(tensors: Tensors): (rows: Rows) => Rows;
}

/** Reads a module's config.json; `columns`: numbers per row before it. Throws ModelFileError and UnsupportedModelError. */
export type ReadModule = (fields: JsonFields, path: string, columns: number) => Module;
