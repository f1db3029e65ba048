/** What an architecture is: one file in families/ exports one of these. */
import type { Arithmetic, Compute, Task } from '../api/types';
import type { JsonFields } from '../formats/json-fields';
import type { Gpu } from '../gpu/device';
import type { AttentionSizes } from '../kernels/attention';
import type { Slot, Step } from '../kernels/step';
import type { ModelConfig } from './config';
import type { HeadLayer, TaskHead } from './task-head';
import type { Norm, Tensors } from './tensors';

/** C: its configuration. W: its encoder's tensors. */
export interface Family<C extends ModelConfig = ModelConfig, W = unknown> {
  /** config.json's model_type. */
  model_type: string;
  /** Reads and checks config.json. Throws ModelFileError for values that make no sense, UnsupportedModelError for what it cannot compute. */
  readConfig(fields: JsonFields): C;
  /** Declares the encoder's tensors. */
  tensors(config: C, tensors: Tensors): W;
  /** The encoder's forward pass, as steps. */
  forward(config: C, weights: W, target: Target): Encoder;
  /** The checkpoint's heads; undefined for a family of bare encoders. */
  heads?: {
    /** Tensors that tell which head a checkpoint has, if config.json names no class; a masked language model has one of several. */
    tensors: { mlm: string[]; classifier: string };
    /** Declares the tensors of one. */
    head(config: C, tensors: Tensors, task: HeadTask, weights: W): TaskHead;
  };
}

/** What a checkpoint's own head computes. */
export type HeadTask = Exclude<Task, 'encoder' | 'gliner'>;

/** What the steps are made for. */
export interface Target {
  gpu: Gpu;
  act: Arithmetic;
  compute: Compute;
}

/** What a pass is made of, in numbers: how many workgroups each kernel needs follows from these. */
export interface PassSizes {
  tokens: number;
  /** Tokens of the longest sequence. */
  longest: number;
  /** By window. */
  attention: Map<number, AttentionSizes>;
}

/** Heads work in chunks of rows; the sizes of one. */
export interface ChunkSizes extends PassSizes {
  rows: number;
  /** Where the row lists hold the chunk's stream rows, or the spans of its sequences; in bytes. */
  indices: { offset: number; size: number };
  /** Of heads that gather: where they hold the spans of the chunk's sequences; `indices` are the rows of their tokens, and `tokens` their number. */
  spans: { offset: number; size: number };
  /** Of a head whose items are apart: where its lists lie there, one after the other. */
  lists: { offset: number; size: number }[];
}

/** A Transformer without a head. The steps serve every pass; the residual stream lies in `hidden_states` [T, hidden], f32, after each layer. */
export interface Encoder {
  /** What depends on the weights alone, in slots of the model. It runs before the first pass. */
  constants?: Step<PassSizes>[];
  embeddings: Step<PassSizes>[];
  layers: Step<PassSizes>[][];
  hidden_states: Slot;
  hidden_size: number;
  /** Makes the last hidden state of the residual stream; undefined if the layers end in their own norms. */
  final_norm: Norm | undefined;
  /** BERT's pooler: a layer on the last hidden state of a sequence's first token. */
  pooler?: HeadLayer;
}

/** Slots that the runtime fills for every pass. */
export const input_ids: Slot = { label: 'input_ids', per: 'token', bytes: 4 }; // u32 [T]
export const positions: Slot = { label: 'positions', per: 'token', bytes: 4 }; // u32 [T], counted in each sequence
export const token_type_ids: Slot = { label: 'token_type_ids', per: 'token', bytes: 4 }; // u32 [T]
/** u32 [T, 2]: first and end of the keys that each row sees. */
export const boundsOf = (window: number): Slot => ({ label: `bounds ${window}`, per: 'token', bytes: 8 });
/** u32 [tiles, 4]: the attention's work list. */
export const tilesOf = (window: number): Slot => ({ label: `tiles ${window}`, per: 'tile', bytes: 16 });

/**
 * The widest activation of a layer goes into slots of this label, and once the layers are done what sequence heads make of the residual
 * stream does: they share a buffer.
 */
export const WIDE = 'wide';
