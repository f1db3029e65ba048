import type { Arithmetic, Compute, Dtype, Task } from '../api/types';
import type { ModelConfig } from './config';
import type { Encoder } from './family';
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
  /** sentence-transformers' modules after the Transformer, in the file's order. */
  modules: { module: Module; apply(rows: Rows): Rows }[];
}
