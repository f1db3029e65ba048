/** The public types of modernbert-webgpu/transformers: names and shapes are those of transformers.js 4. */
import type { Aggregation } from '../api/calls';
import type { Model } from '../api/types';
import type { BrowserLoadOptions } from '../index';
import type { Tensor } from './tensor';

/** `auto`: what loadModel chooses. `int8` and `uint8` are q8; `q4f16` is q4. */
export type PipelineDtype = 'auto' | 'fp32' | 'fp16' | 'q8' | 'int8' | 'uint8' | 'q4' | 'q4f16';

/** Bytes of a file, or of all so far; `progress` in percent. A size that the server does not report counts as what has come. */
interface Bytes {
  loaded: number;
  total: number;
  progress: number;
}

/** What `progress_callback` is called with. */
export type ProgressInfo =
  | { status: 'initiate' | 'download' | 'done'; name: string; file: string }
  | ({ status: 'progress'; name: string; file: string } & Bytes)
  | ({ status: 'progress_total'; name: string; files: Record<string, { loaded: number; total: number }> } & Bytes)
  | { status: 'ready'; task: string; model: string };

/** transformers.js' options that there is something to do for, and those of loadModel. */
export interface PipelineOptions extends Omit<BrowserLoadOptions, 'dtype' | 'onProgress'> {
  /** Default `fp32`. */
  dtype?: PipelineDtype;
  /** Always WebGPU. */
  device?: 'webgpu' | 'gpu' | 'auto';
  progress_callback?: (info: ProgressInfo) => void;
}

/** The options that every pipeline's call has besides its own. */
export interface PipelineCallOptions {
  signal?: AbortSignal;
}

export interface FeatureExtractionOptions extends PipelineCallOptions {
  /** Default `none`: an embedding per token. `first_token` is `cls`, `eos` is `last_token`. */
  pooling?: 'none' | 'mean' | 'cls' | 'first_token' | 'eos' | 'last_token';
  /** To unit length. Default false. */
  normalize?: boolean;
  /** One bit per number, of pooled embeddings. Default false. */
  quantize?: boolean;
  /** How bits become bytes: signed (`binary`, the default) or unsigned. */
  precision?: 'binary' | 'ubinary';
}

export interface FillMaskOptions extends PipelineCallOptions {
  /** Default 5. */
  top_k?: number;
}

/** `token`: its id. `sequence`: the text with the mask filled. */
export interface FilledMask {
  score: number;
  token: number;
  token_str: string;
  sequence: string;
}

export interface TextClassificationOptions extends PipelineCallOptions {
  /** Default 1. null: all labels. */
  top_k?: number | null;
}

export interface TextLabel {
  label: string;
  score: number;
}

export interface TokenClassificationOptions extends PipelineCallOptions {
  /** Default ['O']. */
  ignore_labels?: string[];
  /** Default `none`. */
  aggregation_strategy?: Aggregation;
}

/**
 * A token, or with an aggregation_strategy an entity; `start` and `end`: UTF-16 offsets of its text. transformers.js names the last two but does
 * not fill them.
 */
export type TokenEntity = {
  word: string;
  score: number;
  start: number;
  end: number;
} & (
  | { entity: string; index: number; entity_group?: undefined }
  | { entity_group: string; entity?: undefined; index?: undefined }
);

export interface ZeroShotClassificationOptions extends PipelineCallOptions {
  /** Default 'This example is {}.' */
  hypothesis_template?: string;
  /** Score each label independently. Default false. */
  multi_label?: boolean;
}

/** The labels with their scores, best first. */
export interface ZeroShotLabels {
  sequence: string;
  labels: string[];
  scores: number[];
}

export interface QuestionAnsweringOptions extends PipelineCallOptions {
  /** Default 1. */
  top_k?: number;
}

/** `start` and `end`: UTF-16 offsets into the context. */
export interface AnswerFound {
  answer: string;
  score: number;
  start: number;
  end: number;
}

type OneOrMany<T, R> = T extends string[] ? R[] : R;
type TextInput = string | string[];

/** What each task's pipeline is called with, and what it resolves to. */
export interface PipelineCalls {
  'feature-extraction': (texts: TextInput, options?: FeatureExtractionOptions) => Promise<Tensor>;
  'fill-mask': <T extends TextInput>(texts: T, options?: FillMaskOptions) => Promise<OneOrMany<T, FilledMask[]>>;
  /** One label per text, in a list also for one text; with a `top_k` other than 1 a list of labels per text. */
  'text-classification': <T extends TextInput, const O extends TextClassificationOptions = { top_k?: 1 }>(
    texts: T,
    options?: O,
  ) => Promise<O extends { top_k: infer K } ? (1 extends K ? TextLabel[] : OneOrMany<T, TextLabel[]>) : TextLabel[]>;
  'token-classification': <T extends TextInput>(
    texts: T,
    options?: TokenClassificationOptions,
  ) => Promise<OneOrMany<T, TokenEntity[]>>;
  'zero-shot-classification': <T extends TextInput>(
    texts: T,
    candidate_labels: string | string[],
    options?: ZeroShotClassificationOptions,
  ) => Promise<OneOrMany<T, ZeroShotLabels>>;
  /** One answer per question; with a `top_k` other than 1 a list of answers per question. */
  'question-answering': <T extends TextInput, const O extends QuestionAnsweringOptions = { top_k?: 1 }>(
    question: T,
    context: T,
    options?: O,
  ) => Promise<OneOrMany<T, O extends { top_k: infer K } ? (1 extends K ? AnswerFound : AnswerFound[]) : AnswerFound>>;
}

/** The names of the tasks, and their short names. */
export interface PipelineTasks {
  'feature-extraction': 'feature-extraction';
  embeddings: 'feature-extraction';
  'fill-mask': 'fill-mask';
  'text-classification': 'text-classification';
  'sentiment-analysis': 'text-classification';
  'token-classification': 'token-classification';
  ner: 'token-classification';
  'zero-shot-classification': 'zero-shot-classification';
  'question-answering': 'question-answering';
}

export type PipelineTask = keyof PipelineTasks;

/** A pipeline is called like a function. */
export type Pipeline<T extends PipelineTask = PipelineTask> = PipelineCalls[PipelineTasks[T]] & {
  readonly task: PipelineTasks[T];
  readonly model: Model;
  /** Frees the model. */
  dispose(): Promise<void>;
};
