/** The public types of a model's calls, with their options and results. */
import type {
  DecodeSparseOptions,
  Embeddings,
  EmbedOptions,
  MultiVector,
  MultiVectorOptions,
  Precision,
  SparseEmbeddings,
  SparseOptions,
  SparseRow,
  SparseToken,
  TokenIds,
} from './embeddings';

/** Two texts that the model reads as one sequence: question and answer, premise and hypothesis. */
export interface TextPair {
  text: string;
  pair: string;
}

/** Progress of a call, reported after each of its passes. `done` and `total` count sequences (texts or pairs), `tokens` their tokens. */
export interface CallProgress {
  done: number;
  total: number;
  tokens: number;
  totalTokens: number;
}

export interface CallOptions {
  signal?: AbortSignal;
  onProgress?: (progress: CallProgress) => void;
  /** Cut inputs that exceed the model's limit instead of throwing a RangeError. Default false. */
  truncate?: boolean;
}

export interface FillMaskOptions extends CallOptions {
  /** Candidates per mask. Default 5. */
  topK?: number;
  /** Score these words instead of the whole vocabulary. Each must be a single token at the mask's place. */
  targets?: string[];
  /** Add to each candidate the text with its mask filled. Default false. */
  sequences?: boolean;
}

/** One candidate for a masked token. `score`: softmax probability over the whole vocabulary, also with `targets`. */
export interface Candidate {
  token: string;
  tokenId: number;
  score: number;
  /** With the option `sequences`: the text with this mask filled; other masks are left as they are. */
  sequence?: string;
}

/** One `[MASK]` of a text: its token index, its UTF-16 offsets in the text, and its candidates, best first. */
export interface MaskResult {
  index: number;
  start: number;
  end: number;
  candidates: Candidate[];
}

export interface LabelScore {
  label: string;
  score: number;
}

export interface ClassifyOptions extends CallOptions {
  /** Number of labels to return, best first. Default: all. */
  topK?: number;
  /** Return logits instead of probabilities. Default: false, or true if problem_type is regression. */
  raw?: boolean;
  /** Score each label independently (sigmoid) instead of one of all (softmax). Default: as problem_type says; true for a single label. */
  multiLabel?: boolean;
}

export interface ZeroShotOptions extends CallOptions {
  /** The hypothesis for each label; `{}` stands for the label. Default 'This example is {}.' */
  hypothesisTemplate?: string;
  /** Score each label independently instead of one of all. Default false; true for a single label. */
  multiLabel?: boolean;
}

export interface RerankOptions extends CallOptions {
  /** Number of documents to return, best first. Default: all. */
  topK?: number;
  /** Return logits instead of probabilities. Default: false, or true if the checkpoint names Identity as its activation. */
  raw?: boolean;
  /** Put before the query: one of `info.prompts` by name, or the prompt itself. Default: `info.defaultPrompt`, if any. */
  promptName?: string;
  prompt?: string;
  /** Add the documents to the results. Default false. */
  returnDocuments?: boolean;
  /** Cut documents so that query and document have at most this many tokens, special ones included. The query is never cut. */
  maxTokens?: number;
}

/** `index`: the document's index in the given list. */
export interface RerankResult {
  index: number;
  score: number;
  document?: string;
}

/**
 * How tokens are grouped into entities. `none`: not at all. `simple`: adjacent tokens of one class. `first`, `max`, `average`: tokens into words,
 * whose class is that of their first token, of their most certain token, or of their tokens' mean scores; then adjacent words of one class.
 */
export type Aggregation = 'none' | 'simple' | 'first' | 'max' | 'average';

export interface ClassifyTokensOptions extends CallOptions {
  /** Default none. */
  aggregation?: Aggregation;
  /** Classes to leave out. Default: none without aggregation, else ['O']. */
  ignoreLabels?: string[];
  /**
   * How labels are chosen. `argmax`: the likeliest of each token or word, as transformers does; illegal sequences are then read sensibly: I- after O
   * begins an entity, E- alone is one. `viterbi`: the likeliest sequence of all that the labels' scheme allows (BIO, BIOES, BILOU, BMES): no I-
   * after O or after another class, no B- that nothing ends. Default argmax.
   */
  decode?: 'argmax' | 'viterbi';
}

export interface EntitiesOptions extends CallOptions {
  /** Entities need a score above it, from 0 to 1. Default 0.5. */
  threshold?: number;
  /** No two entities overlap. Default true; with false one may lie within another. */
  flat?: boolean;
  /** Whether the same words may be entities of several labels. Default false: of the best one. */
  multiLabel?: boolean;
}

/**
 * An entity of a text; of classifyTokens adjacent tokens of one class. `label` has no prefix (B-, I-); `start` and `end`: UTF-16 offsets of `text`, for given words into these joined by
 * spaces.
 */
export interface Entity extends LabelScore {
  text: string;
  start: number;
  end: number;
}

export interface AnswerOptions extends Omit<CallOptions, 'truncate'> {
  /** Number of answers to return, best first. Default 1. */
  topK?: number;
  /** Most tokens of an answer. Default 15. */
  maxAnswerLength?: number;
  /** Whether a context may have no answer: '' is then one of the answers, as likely as the model says. Default false. */
  handleImpossible?: boolean;
  /**
   * Most tokens of question and context together, special ones included; a longer context is read in windows. Default: the model's limit
   * (transformers' pipeline: 384).
   */
  maxTokens?: number;
  /** Tokens of the context that a window shares with the one before it. Default: 128, or half of `maxTokens` if that is less. */
  docStride?: number;
  /** Whether answers begin and end with words of the tokenizer, not within one. Default true. */
  alignToWords?: boolean;
}

/** `answer` is `context.slice(start, end)`, UTF-16 offsets, without whitespace around it; '' if there is none. `score`: its probability. */
export interface Answer {
  answer: string;
  score: number;
  start: number;
  end: number;
}

export interface ChunkOptions {
  /** Most tokens per chunk, special ones included. Default: the model's limit. */
  maxTokens?: number;
  /** Tokens shared by consecutive chunks, rounded up to whole words. Default 0. */
  overlap?: number;
  signal?: AbortSignal;
}

/** A part of a text: `text.slice(start, end)`, UTF-16 offsets. `tokens`: its number of tokens, special ones included. */
export interface Chunk {
  text: string;
  start: number;
  end: number;
  tokens: number;
}

/** One token's class; `start` and `end` are UTF-16 offsets into the text. */
export interface TokenLabel extends LabelScore {
  token: string;
  index: number;
  start: number;
  end: number;
}

/** A text that is split into words already: each is tokenized on its own, as transformers does with is_split_into_words. */
export interface Words {
  words: string[];
}

/** One word's class: that of its first token, transformers' convention. `index`: its place among the given words. */
export interface WordLabel extends LabelScore {
  word: string;
  index: number;
}

export interface Tokens {
  ids: Uint32Array;
  tokens: string[];
  /**
   * UTF-16 offsets into the text (for a pair: into the text that the token comes from; for words: into the token's word); special tokens have
   * [0, 0].
   */
  offsets: [start: number, end: number][];
  /**
   * Per token, the index of its word in its text, as transformers' word_ids(): of the given words, else of those that the pre-tokenizer makes.
   * -1 for the special tokens around texts.
   */
  wordIds: Int32Array;
  /** Per token, 0 for the text and 1 for its pair, as transformers' sequence_ids(); -1 for the special tokens around them. */
  sequenceIds: Int32Array;
  /** Per token, transformers' token_type_ids, by tokenizer.json: of BERT 0 for the text and 1 for its pair; 0 if tokenizer_config.json says that the model reads none. */
  tokenTypeIds: Uint32Array;
}

export type OutputName = 'last_hidden_state' | 'hidden_states' | 'logits' | 'pooler_output';

export interface Tensor {
  data: Float32Array;
  shape: number[];
}

/** Sequences one after the other, nothing padded: `inputIds.length` is the sum of `lengths`. */
export interface TokenBatch {
  inputIds: Uint32Array;
  lengths: Uint32Array;
  /** A type per token, of models with token types (BERT). Default: 0. */
  tokenTypeIds?: Uint32Array;
}

export interface ForwardOptions extends CallOptions {
  outputs?: OutputName[];
  /** Rows of the stream to return, in this order. Default: all. Sequence-classification logits and pooler_output ignore it. */
  rows?: Uint32Array | number[];
}

/** The calls of a model. Options, if any, are the last argument. */
export interface Calls {
  /** Candidates for every `[MASK]`: transformers' fill-mask pipeline, also for several masks in a text. Throws a RangeError for a text without one; a mask that `truncate` cuts off has no result. */
  fillMask(text: string, options?: FillMaskOptions): Promise<MaskResult[]>;
  fillMask(texts: string[], options?: FillMaskOptions): Promise<MaskResult[][]>;
  /**
   * One embedding per text, [texts, dim], of unit length by default: sentence-transformers' SentenceTransformer.encode, with `kind` its encode_query and
   * encode_document. Without its files, the mean of the hidden states. A text may be
   * given as its token ids, which no prompt is put before.
   */
  embed<P extends Precision = 'float32'>(
    texts: string | TokenIds | (string | TokenIds)[],
    options?: EmbedOptions<P>,
  ): Promise<Embeddings<P>>;
  /**
   * One embedding per token, [tokens, dim] of each text, from a multi-vector (ColBERT) model: encode_query and encode_document of sentence-transformers'
   * MultiVectorEncoder, PyLate's ColBERT.encode. Compare them with `maxSim`.
   */
  embedMultiVector(text: string, options: MultiVectorOptions): Promise<MultiVector>;
  embedMultiVector(texts: string[], options: MultiVectorOptions): Promise<MultiVector[]>;
  /**
   * A weight per token of the vocabulary for each text, from a sparse (SPLADE) checkpoint, as sentence-transformers' SparseEncoder.encode; with `kind`,
   * as its encode_query and encode_document. Compare them with `sparseDot` and `sparseSimilarity`, search them with `sparseIndex`.
   */
  embedSparse(texts: string | string[], options?: SparseOptions): Promise<SparseEmbeddings>;
  /** The tokens of a sparse row, largest weight first, as sentence-transformers' SparseEncoder.decode. */
  decodeSparse(row: SparseRow, options?: DecodeSparseOptions): Promise<SparseToken[]>;
  /**
   * All labels with their probabilities, best first: transformers' text-classification pipeline with top_k=None. Softmax, or sigmoid where problem_type is
   * multi_label_classification.
   */
  classify(text: string | TextPair, options?: ClassifyOptions): Promise<LabelScore[]>;
  classify(texts: (string | TextPair)[], options?: ClassifyOptions): Promise<LabelScore[][]>;
  /**
   * Scores labels of your choice, best first, with a natural language inference model (it has a label for entailment): transformers'
   * zero-shot-classification pipeline.
   */
  zeroShot(text: string, labels: string[], options?: ZeroShotOptions): Promise<LabelScore[]>;
  zeroShot(texts: string[], labels: string[], options?: ZeroShotOptions): Promise<LabelScore[][]>;
  /**
   * Scores how well each document answers the query, best first: sentence-transformers' CrossEncoder.rank. Of a sequence classifier with two labels the
   * score is the second one's probability.
   */
  rerank(query: string, documents: string[], options?: RerankOptions): Promise<RerankResult[]>;
  /**
   * The best label per token, special ones left out; with `aggregation`, the entities: transformers' token-classification pipeline. Of a text that
   * is given as words, the best label per word; words that are cut off, or that the tokenizer leaves nothing of, have none.
   */
  classifyTokens(text: string, options?: ClassifyTokensOptions & { aggregation?: 'none' }): Promise<TokenLabel[]>;
  classifyTokens(texts: string[], options?: ClassifyTokensOptions & { aggregation?: 'none' }): Promise<TokenLabel[][]>;
  classifyTokens(text: Words, options?: ClassifyTokensOptions & { aggregation?: 'none' }): Promise<WordLabel[]>;
  classifyTokens(texts: Words[], options?: ClassifyTokensOptions & { aggregation?: 'none' }): Promise<WordLabel[][]>;
  classifyTokens(text: string | Words, options: ClassifyTokensOptions): Promise<Entity[]>;
  classifyTokens(texts: (string | Words)[], options: ClassifyTokensOptions): Promise<Entity[][]>;
  /**
   * Where a context answers a question, best first: transformers' question-answering pipeline (of its version 4) with an extractive model.
   * Scores are products of two softmaxes, of starts and ends over the tokens of the context; those of equal texts (but for case and the
   * spaces around) are added up, also over windows. One question goes with each context of a list, and the other way round.
   */
  answer(question: string, context: string, options?: AnswerOptions): Promise<Answer[]>;
  answer(questions: string[], contexts: string | string[], options?: AnswerOptions): Promise<Answer[][]>;
  answer(question: string, contexts: string[], options?: AnswerOptions): Promise<Answer[][]>;
  /**
   * Entities with labels of your choice, such as 'person' or 'date of birth', by a GLiNER model: GLiNER's predict_entities for every text by itself.
   * Sorted by where they begin. A text has at most as many words as the model's max_len says; `truncate` cuts it to those.
   */
  entities(text: string, labels: string[], options?: EntitiesOptions): Promise<Entity[]>;
  entities(texts: string[], labels: string[], options?: EntitiesOptions): Promise<Entity[][]>;
  /** Splits a text into parts that fit the model, between words if possible. A short text is one chunk. */
  chunk(text: string, options?: ChunkOptions): Promise<Chunk[]>;
  chunk(texts: string[], options?: ChunkOptions): Promise<Chunk[][]>;
  /** The bare model on token ids, transformers' outputs: last_hidden_state [rows, hidden], hidden_states [layers + 1, rows, hidden], logits [rows or sequences, columns]. */
  forward(batch: TokenBatch, options?: ForwardOptions): Promise<Partial<Record<OutputName, Tensor>>>;
  /** The tokens that the model reads, special ones included: transformers' tokenizer(text, pair), nothing cut. */
  tokenize(text: string | Words, pair?: string | Words): Promise<Tokens>;
}
