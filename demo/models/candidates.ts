// What can be chosen for a task, with its facts: loaded with the dialog that shows them.
import type { Dtype } from '../../src/index';
import { count, fileSize } from '../numbers';
import type { BuiltIn } from './built-in';
import {
  DTYPES,
  gpuBytes,
  KNOWN_MODELS,
  type KnownModel,
  knownModels,
  layerMatrices,
  parametersOf,
  type Quality,
  tableBytes,
  type Use,
} from './known-models';
import type { Choice } from './model-store';

/** A model with what speaks for and against it. Sizes are in bytes. */
export interface Candidate extends Choice {
  source: string;
  /** It comes with the page. */
  isBuiltIn: boolean;
  goodFor: string;
  languages: string;
  licence: string;
  maxTokens: number;
  parameters: number;
  /** The names of its prompts. */
  prompts: string[];
  quality: Quality | undefined;
  /** From one of its weights in f16 to one in f32, as only its page knows which it has. */
  download: { least: number; most: number };
  gpu: Record<Dtype, number>;
  /** Of its largest tensor. */
  table: Record<Dtype, number>;
  /** Floating-point operations per token of a text of 128 tokens. */
  flops: number;
}

/** Tokens of the texts by which speeds are measured and estimated. */
export const SPEED_TOKENS = 128;

/** What a token costs in a text of `tokens`: a multiplication and an addition per weight, and its products with all others of the text. */
export const flopsPerToken = (model: KnownModel, tokens = SPEED_TOKENS): number =>
  2 * layerMatrices(model) + model.layers * 4 * tokens * model.hidden;

const ENGLISH = { languages: 'English', licence: 'Apache-2.0' } as const;
const NANO_SHAPE = { architecture: 'modernbert', layers: 7, hidden: 256, intermediate: 384, vocab: 16384 } as const;
const HELD_OUT = 'Recall@10, held-out pairs';

/** The models that come with the page, as those of known-models.json. Figures are of training/eval/results and of the models' cards. */
const BUILT_IN: Omit<KnownModel, 'maxTokens'>[] = [
  {
    id: 'nano',
    use: 'fill-mask',
    goodFor: 'To start at once; it knows little.',
    tokenizer: 'byte-level BPE',
    ...ENGLISH,
    ...NANO_SHAPE,
    quality: { measure: 'Masked words right', value: 50.79, unit: '%', source: 'training/eval/results' },
  },
  {
    id: 'nano-embed-q4',
    use: 'embeddings',
    goodFor: 'To start at once; also long texts.',
    tokenizer: 'byte-level BPE',
    ...ENGLISH,
    ...NANO_SHAPE,
    quality: { measure: HELD_OUT, value: 69.1, unit: '%', source: 'training/eval/results' },
  },
  {
    id: 'all-MiniLM-L6-v2',
    use: 'embeddings',
    goodFor: 'Comparison of sentences.',
    tokenizer: 'WordPiece',
    ...ENGLISH,
    architecture: 'bert',
    layers: 6,
    hidden: 384,
    intermediate: 1536,
    vocab: 30522,
    quality: { measure: HELD_OUT, value: 68.5, unit: '%', source: 'its model card' },
  },
];

const perDtype = (size: (dtype: Dtype) => number) =>
  Object.fromEntries(DTYPES.map((dtype) => [dtype, size(dtype)])) as Record<Dtype, number>;

function candidateOf(model: KnownModel): Candidate {
  return {
    name: model.id,
    source: model.id,
    isBuiltIn: false,
    goodFor: model.goodFor ?? '',
    languages: model.languages,
    licence: model.licence ?? 'see its page',
    maxTokens: model.maxTokens,
    parameters: parametersOf(model),
    prompts: Object.keys(model.prompts ?? {}),
    quality: model.quality,
    download: { least: gpuBytes(model, 'f16'), most: gpuBytes(model, 'f32') },
    gpu: perDtype((dtype) => gpuBytes(model, dtype)),
    table: perDtype((dtype) => tableBytes(model, dtype)),
    flops: flopsPerToken(model),
  };
}

/** A model of the page; throws an Error for one that has no facts here. */
export function builtInCandidate(own: BuiltIn): Candidate {
  const facts = BUILT_IN.find(({ id }) => id === own.name);
  if (!facts) throw new Error(`candidates.ts has no facts of the built-in model ${own.name}.`);
  const { source, dtype, maxTokens, bytes } = own;
  const download = { least: bytes, most: bytes };
  return { ...candidateOf({ ...facts, maxTokens }), source, dtype, isBuiltIn: true, download };
}

/** What a tab can choose from: the page's own models first. */
export const candidatesFor = (use: Use, builtIn: BuiltIn[]): Candidate[] => [
  ...builtIn.map(builtInCandidate),
  ...knownModels(use).map(candidateOf),
];

/** What is known of a published model before it is loaded, in two lines; nothing of one that is not in the list. */
export function publishedFacts({ source, dtype = 'f16' }: Choice): string[] {
  const model = KNOWN_MODELS.find(({ id }) => id === source);
  if (!model) return [];
  return [
    `${model.languages} · ${Math.round(parametersOf(model) / 1e6)} M parameters`,
    `up to ${count(model.maxTokens)} tokens · ${fileSize(gpuBytes(model, dtype))} on the GPU as ${dtype}`,
  ];
}
