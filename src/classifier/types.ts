import type { CallOptions, LabelScore } from '../api/calls';
import type { Embeddings, EmbedOptions } from '../api/embeddings';
import type { Model, ModelInfo } from '../api/types';

/** A text with its label. */
export interface Example {
  text: string;
  label: string;
}

/** What a classifier needs of a model. */
export type EmbeddingModel = Pick<Model, 'embed' | 'info'>;

/** How texts are embedded, in training and ever after. */
export type ClassifierEmbedOptions = Pick<
  EmbedOptions,
  'kind' | 'promptName' | 'prompt' | 'pooling' | 'normalize' | 'dimensions'
>;

/** `embed`: `done` of `total` texts; `train`: of the rounds, which are those of cross-validation and a last one with all examples. */
export interface TrainProgress {
  phase: 'embed' | 'train';
  done: number;
  total: number;
}

export interface TrainClassifierOptions extends ClassifierEmbedOptions {
  /**
   * Parts that the examples are split into for cross-validation, of which each is classified by what was learnt from the others. Default 5; never
   * more than the largest label has texts. 0: none, so that nothing is known of the classifier's accuracy, calibration and typicality.
   */
  folds?: number;
  /**
   * Strength of the L2 penalty, as of embeddings with a mean squared distance of 1 from their mean. Default: that of 0.01, 0.001 and 0.0001 with
   * the least log loss in cross-validation; without one 0.001.
   */
  l2?: number;
  /** Cut texts that exceed the model's limit instead of throwing a RangeError. Default false. */
  truncate?: boolean;
  signal?: AbortSignal;
  onProgress?: (progress: TrainProgress) => void;
}

export interface ClassifyTextsOptions extends CallOptions {
  /** Number of labels to return, best first. Default: all. */
  topK?: number;
  /** Return only labels with at least this probability. Default 0. */
  threshold?: number;
  /**
   * Return no label for texts that are less typical than this, see `Classifier.typicality`. Of texts like the examples about this share is lost,
   * so 0.05 is a good value. Default 0: every text has labels.
   */
  minTypicality?: number;
}

/** Measures of one label. They are undefined where they would divide by 0. */
export interface LabelEvaluation {
  label: string;
  /** How many were given, and how many of them were tested. */
  examples: number;
  support: number;
  /** How many of those that were said to have the label have it. */
  precision?: number;
  /** How many of those that have the label were said to. */
  recall?: number;
  /** The harmonic mean of both. */
  f1?: number;
}

/** An example that was taken for another label: its index in the list, that label, and its probability. Some are wrong in the list. */
export interface Mistake {
  index: number;
  label: string;
  score: number;
}

/**
 * How good a classifier is, by cross-validation: each example was classified by one that had not seen it, nor an equal text. The temperature by
 * which logits are calibrated is likewise that of the other parts. An example whose label no other text has is not tested.
 */
export interface Evaluation {
  /** 0 if nothing could be tested; the measures are then undefined. */
  folds: number;
  /** Why nothing could be tested. */
  reason?: string;
  /** How many were given, and how many of them were tested. */
  examples: number;
  tested: number;
  accuracy?: number;
  /** Where the accuracy may really lie, at 95%: Wilson's interval. */
  accuracyInterval?: [low: number, high: number];
  /** Mean of the labels' F1. */
  macroF1?: number;
  /** Mean of -ln p of the right label, in nats. */
  logLoss?: number;
  /** Expected calibration error: how far the best label's probability is from how often it is right (Guo et al. 2017; 15 bins). */
  calibrationError?: number;
  labels: LabelEvaluation[];
  /** How many examples of the row's label were said to have the column's; both in the order of `labels`. */
  confusion: number[][];
  mistakes: Mistake[];
  /** Indices of examples whose text was given before, with the same label (`duplicates`) or only with others (`conflicts`). */
  duplicates: number[];
  conflicts: number[];
}

/** A classifier as plain data for JSON. Numbers in base64 are little-endian f32: a quarter of the same as decimals, and exact. */
export interface ClassifierFile {
  format: 'modernbert-webgpu/classifier-head';
  version: 2;
  labels: string[];
  /** Numbers per embedding. */
  dim: number;
  /** [labels, dim] in base64. The probabilities of an embedding x are softmax(weights x + bias); they are calibrated. */
  weights: string;
  /** [labels] */
  bias: number[];
  /** What the weights were divided by to calibrate them. */
  temperature: number;
  /** Strength of the penalty that they were trained with. */
  l2: number;
  /** By which `typicality` is computed; null if nothing could be tested. */
  typicality: {
    /** The mean embedding of each label, of unit length: [labels, dim] in base64. */
    means: string;
    /** [101] Of the examples, held out, the percentiles of their cosine with the nearest mean. */
    percentiles: number[];
  } | null;
  /** What it was trained on the embeddings of. */
  encoder: EncoderFacts;
  /** The options by which texts are embedded. */
  embed: ClassifierEmbedOptions;
  evaluation: Evaluation;
}

/** What tells one model's embeddings from another's. Undefined: not known. */
export interface EncoderFacts extends Partial<Pick<ModelInfo, 'embeddingSize' | 'hiddenSize' | 'vocabSize' | 'dtype'>> {
  /** `model_type` of config.json. */
  modelType?: string;
  commit?: string;
  /** The LoRA adapter in use. */
  loraAdapter?: string;
  /** The id of the embeddings' space, if the library knows it. */
  embeddingSpace?: string;
}

export interface Classifier {
  /** In the order of the examples. */
  readonly labels: string[];
  /** Without measures for one that the demo exported in version 1. */
  readonly evaluation: Evaluation;
  /**
   * The labels of a text with their probabilities, best first; of several texts, or of embeddings that the same model made with the same options, a
   * list for each. The list is empty if no label is as likely as `threshold`, or the text less typical than `minTypicality`.
   */
  classify(text: string, options?: ClassifyTextsOptions): Promise<LabelScore[]>;
  classify(texts: string[] | Embeddings, options?: ClassifyTextsOptions): Promise<LabelScore[][]>;
  /**
   * How much a text is like the examples, whatever their labels: the share of these, from 0 to 1, that was less like the others when they were
   * tested. Throws a RangeError if nothing could be tested.
   */
  typicality(text: string, options?: CallOptions): Promise<number>;
  typicality(texts: string[] | Embeddings, options?: CallOptions): Promise<number[]>;
  /** For `JSON.stringify`; `loadClassifier` reads it. It holds none of the texts. */
  toJSON(): ClassifierFile;
}
