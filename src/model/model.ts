import type { Pooling } from '../api/embeddings';
import type { Arithmetic, Compute, Dtype, Task } from '../api/types';
import type { ModelConfig } from './config';
import type { Encoder } from './family';
import type { GlinerParts } from './gliner/parts';
import type { Rows } from './heads/rows';
import type { Module } from './modules/module';
import type { TaskHead } from './task-head';

/** A checkpoint with its tensors declared: what heads and passes are made of. */
export interface LoadedModel {
  config: ModelConfig;
  task: Task;
  dtype: Dtype;
  act: Arithmetic;
  compute: Compute;
  encoder: Encoder;
  /** Undefined for bare encoders. */
  head: TaskHead | undefined;
  /** Of a GLiNER model: its head, with what this encoder reads. */
  gliner: GlinerParts | undefined;
  /** Modules that end in a cross-encoder's scores: they are its head. */
  scores: Module[] | undefined;
  /** Logits per row or sequence, and their names; none without a head. */
  logits: { columns: number; labels: string[] };
  /** Takes rows through modules of sentence-transformers; `poolings`: in place of a Pooling's own. */
  through(modules: Module[], rows: Rows, poolings?: Pooling[]): Rows;
}
