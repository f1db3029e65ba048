import type { Dtype } from '../src/index';

/** What a model is for, and with it which tab suggests it. */
export type Use = 'fill-mask' | 'embeddings' | 'zero-shot' | 'rerank';

/** A published checkpoint. Sizes follow from its shape; `licence` is undefined where only its page can say. */
export interface KnownModel {
  id: string;
  use: Use;
  about: string;
  licence: string | undefined;
  layers: number;
  hidden: number;
  intermediate: number;
  vocab: number;
  /** Fewer numbers that its embeddings may be cut to, as its page says (Matryoshka). */
  matryoshka?: number[];
}

const ENGLISH = 50368;
const MULTILINGUAL = 256000;
const JAPANESE = 102400;
const BASE = { layers: 22, hidden: 768, intermediate: 1152 };

export const KNOWN_MODELS: KnownModel[] = [
  {
    id: 'answerdotai/ModernBERT-base',
    use: 'fill-mask',
    about: 'English',
    licence: 'Apache-2.0',
    ...BASE,
    vocab: ENGLISH,
  },
  {
    id: 'answerdotai/ModernBERT-large',
    use: 'fill-mask',
    about: 'English',
    licence: 'Apache-2.0',
    layers: 28,
    hidden: 1024,
    intermediate: 2624,
    vocab: ENGLISH,
  },
  {
    id: 'jhu-clsp/ettin-encoder-17m',
    use: 'fill-mask',
    about: 'English, small',
    licence: 'MIT',
    layers: 7,
    hidden: 256,
    intermediate: 384,
    vocab: ENGLISH,
  },
  {
    id: 'jhu-clsp/ettin-encoder-32m',
    use: 'fill-mask',
    about: 'English, small',
    licence: 'MIT',
    layers: 10,
    hidden: 384,
    intermediate: 576,
    vocab: ENGLISH,
  },
  {
    id: 'jhu-clsp/ettin-encoder-68m',
    use: 'fill-mask',
    about: 'English',
    licence: 'MIT',
    layers: 19,
    hidden: 512,
    intermediate: 768,
    vocab: ENGLISH,
  },
  { id: 'jhu-clsp/ettin-encoder-150m', use: 'fill-mask', about: 'English', licence: 'MIT', ...BASE, vocab: ENGLISH },
  {
    id: 'jhu-clsp/ettin-encoder-1b',
    use: 'fill-mask',
    about: 'English, large',
    licence: 'MIT',
    layers: 28,
    hidden: 1792,
    intermediate: 3840,
    vocab: ENGLISH,
  },
  {
    id: 'jhu-clsp/mmBERT-small',
    use: 'fill-mask',
    about: 'multilingual',
    licence: 'MIT',
    layers: 22,
    hidden: 384,
    intermediate: 1152,
    vocab: MULTILINGUAL,
  },
  { id: 'jhu-clsp/mmBERT-base', use: 'fill-mask', about: 'multilingual', licence: 'MIT', ...BASE, vocab: MULTILINGUAL },
  {
    id: 'sbintuitions/modernbert-ja-130m',
    use: 'fill-mask',
    about: 'Japanese',
    licence: 'MIT',
    layers: 19,
    hidden: 512,
    intermediate: 2048,
    vocab: JAPANESE,
  },
  {
    id: 'Alibaba-NLP/gte-modernbert-base',
    use: 'embeddings',
    about: 'English',
    licence: 'Apache-2.0',
    ...BASE,
    vocab: ENGLISH,
  },
  {
    id: 'nomic-ai/modernbert-embed-base',
    use: 'embeddings',
    about: 'English, with prompts',
    licence: 'Apache-2.0',
    ...BASE,
    vocab: ENGLISH,
    matryoshka: [256],
  },
  {
    id: 'ibm-granite/granite-embedding-english-r2',
    use: 'embeddings',
    about: 'English',
    licence: 'Apache-2.0',
    ...BASE,
    vocab: ENGLISH,
  },
  {
    id: 'ibm-granite/granite-embedding-small-english-r2',
    use: 'embeddings',
    about: 'English, small',
    licence: 'Apache-2.0',
    layers: 12,
    hidden: 384,
    intermediate: 1536,
    vocab: ENGLISH,
  },
  {
    id: 'Alibaba-NLP/gte-reranker-modernbert-base',
    use: 'rerank',
    about: 'English',
    licence: 'Apache-2.0',
    ...BASE,
    vocab: ENGLISH,
  },
  {
    id: 'MoritzLaurer/ModernBERT-base-zeroshot-v2.0',
    use: 'zero-shot',
    about: 'English',
    licence: undefined,
    ...BASE,
    vocab: ENGLISH,
  },
  {
    id: 'MoritzLaurer/ModernBERT-large-zeroshot-v2.0',
    use: 'zero-shot',
    about: 'English',
    licence: undefined,
    layers: 28,
    hidden: 1024,
    intermediate: 2624,
    vocab: ENGLISH,
  },
];

export const knownModels = (use: Use): KnownModel[] => KNOWN_MODELS.filter((model) => model.use === use);

const layerMatrices = ({ layers, hidden, intermediate }: KnownModel): number =>
  layers * (4 * hidden ** 2 + 3 * hidden * intermediate);
const table = ({ vocab, hidden }: KnownModel): number => vocab * hidden;
/** The head's dense layer, the decoder's bias, norms. */
const rest = (model: KnownModel): number =>
  (model.use === 'embeddings' ? 0 : model.hidden ** 2 + (model.use === 'fill-mask' ? model.vocab : 0)) +
  (2 * model.layers + 2) * model.hidden;

export const parametersOf = (model: KnownModel): number => layerMatrices(model) + table(model) + rest(model);

export const DTYPES: Dtype[] = ['f32', 'f16', 'q8', 'q4'];

/** Bits of a weight in the layers' matrices and in the embedding table (groups of 32 with an f16 scale). */
const BITS: Record<Dtype, [matrices: number, table: number, rest: number]> = {
  f32: [32, 32, 32],
  f16: [16, 16, 16],
  q8: [8.5, 8.5, 16],
  q4: [4.5, 8.5, 16],
};

/** Bytes of weights on the GPU. A file of the same precision is as large as its f32 or f16 row. */
export function gpuBytes(model: KnownModel, dtype: Dtype): number {
  const [matrices, embedding, others] = BITS[dtype];
  return (layerMatrices(model) * matrices + table(model) * embedding + rest(model) * others) / 8;
}
