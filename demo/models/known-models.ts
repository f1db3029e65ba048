import type { Dtype } from '../../src/index';
import models from './known-models.json';

/** What a model is for, and with it which tab suggests it. */
export type Use =
  | 'fill-mask'
  | 'embeddings'
  | 'multi-vector'
  | 'sparse'
  | 'rerank'
  | 'zero-shot'
  | 'text classification'
  | 'token classification'
  | 'question answering';

/** Architectures of the list, by config.json's model_type. */
type Architecture =
  | 'modernbert'
  | 'bert'
  | 'roberta'
  | 'xlm-roberta'
  | 'distilbert'
  | 'mpnet'
  | 'deberta-v2'
  | 'nomic_bert'
  | 'gte'
  | 'new';

/** A published checkpoint, with safetensors and tokenizer.json. Sizes follow from its shape; without `licence` only its page can say. */
export interface KnownModel {
  id: string;
  use: Use;
  /** In a few words, where a tab of the page suggests it. */
  goodFor?: string;
  languages: string;
  licence?: string;
  architecture: Architecture;
  /** What tokenizer.json holds. */
  tokenizer: 'WordPiece' | 'byte-level BPE' | 'BPE with byte fallback' | 'Unigram';
  layers: number;
  hidden: number;
  intermediate: number;
  vocab: number;
  /** Most tokens of a text: sentence-transformers' max_seq_length, or else what config.json allows. */
  maxTokens: number;
  /** Numbers of an embedding: of a text, of each token (multi-vector), or of the vocabulary (sparse). */
  dimension?: number;
  /** Fewer numbers that its embeddings may be cut to, as its page says (Matryoshka). */
  matryoshka?: number[];
  /** What its page says to put before texts. */
  prompts?: Record<string, string>;
  quality?: Quality;
}

/** A published figure of how good a model is, or one of this repository; `source` says where it stands. */
export interface Quality {
  measure: string;
  /** Of 100. */
  value: number;
  unit?: '%';
  source: string;
}

export const KNOWN_MODELS = models as KnownModel[];

export const knownModels = (use: Use): KnownModel[] => KNOWN_MODELS.filter((model) => model.use === use);

interface Shape {
  /** Matrices of an MLP; with gates there are three. */
  mlp: 2 | 3;
  /** Rows of the tables beside the vocabulary's: of positions, relative ones too, and of token types. */
  rows: number;
  /** Whether layers have biases. */
  biased: boolean;
}

const ROBERTA: Shape = { mlp: 2, rows: 514 + 1, biased: true };
/** `rows`: those of the models in the list, whose configs a test reads. */
const SHAPES: Record<Architecture, Shape> = {
  modernbert: { mlp: 3, rows: 0, biased: false },
  bert: { mlp: 2, rows: 512 + 2, biased: true },
  roberta: ROBERTA,
  'xlm-roberta': ROBERTA,
  distilbert: { mlp: 2, rows: 512, biased: true },
  mpnet: { mlp: 2, rows: 514, biased: true },
  'deberta-v2': { mlp: 2, rows: 2 * 256, biased: true },
  nomic_bert: { mlp: 3, rows: 2, biased: false },
  gte: { mlp: 3, rows: 1, biased: true },
  new: { mlp: 3, rows: 0, biased: true },
};

/** Of these uses ModernBERT's head has a dense layer, and other architectures' has none. */
const PLAIN_USES: Use[] = ['token classification', 'question answering'];

/** Weights that every token is multiplied with: those of the layers' matrices. */
export const layerMatrices = ({ architecture, layers, hidden, intermediate }: KnownModel): number =>
  layers * (4 * hidden ** 2 + SHAPES[architecture].mlp * hidden * intermediate);
/** Weights of the embedding table, mostly the largest tensor. */
const table = ({ vocab, hidden }: KnownModel): number => vocab * hidden;

/** The head: its dense layer, with the decoder's bias; the layer that makes vectors of tokens. */
function head({ use, architecture, hidden, vocab, dimension = 0 }: KnownModel): number {
  if (use === 'embeddings') return 0;
  if (use === 'multi-vector') return hidden * dimension;
  const dense = PLAIN_USES.includes(use) && architecture !== 'modernbert' ? 0 : hidden ** 2;
  return dense + (use === 'fill-mask' || use === 'sparse' ? vocab : 0);
}

/** What is not quantised: small tables, norms, biases, the head. */
function rest(model: KnownModel): number {
  const { architecture, layers, hidden, intermediate } = model;
  const { rows, biased } = SHAPES[architecture];
  const norms = (2 * layers + 2) * hidden;
  const biases = biased ? layers * (5 * hidden + intermediate) + norms : 0; // a norm's bias too
  return rows * hidden + norms + biases + head(model);
}

export const parametersOf = (model: KnownModel): number => layerMatrices(model) + table(model) + rest(model);

export const DTYPES: Dtype[] = ['f32', 'f16', 'q8', 'q4'];

/** Bits of a weight in the layers' matrices and in the embedding table (groups of 32 with an f16 scale). */
const BITS: Record<Dtype, [matrices: number, table: number, rest: number]> = {
  f32: [32, 32, 32],
  f16: [16, 16, 16],
  q8: [8.5, 8.5, 16],
  q4: [4.5, 4.5, 16],
};

/** Bytes of weights on the GPU. A file of the same precision is as large as its f32 or f16 row. */
export function gpuBytes(model: KnownModel, dtype: Dtype): number {
  const [matrices, embedding, others] = BITS[dtype];
  return (layerMatrices(model) * matrices + table(model) * embedding + rest(model) * others) / 8;
}

/** Bytes of the embedding table on the GPU. */
export const tableBytes = (model: KnownModel, dtype: Dtype): number => (table(model) * BITS[dtype][1]) / 8;
