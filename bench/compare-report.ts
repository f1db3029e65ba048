// The results of --compare, and their tables.
import type { Architecture } from './architectures';
import { mib, percent, rate, type Table } from './print';
import type { Environment, Peaks, SetResult } from './report';

/** What is known of a model without its sets; much of it only if it loaded on this device. */
export interface ComparedModel extends Pick<Architecture, 'name' | 'model' | 'class' | 'paper'> {
  /** Of the published model. */
  layers: number;
  parameters?: number;
  /** How many of its layers were run. */
  layers_run?: number;
  /** Of a sequence. */
  max_tokens?: number;
  /** Tokens of the largest pass that this device can hold. */
  token_limit?: number;
  /** On the GPU, of the layers that were run. */
  weight_bytes?: number;
  /** Why it did not load. */
  error?: string;
}

export interface Comparison extends Pick<Environment, 'adapter' | 'driver' | 'features' | 'profile'> {
  tier: string;
  /** How many layers of each model were run, if not all. */
  layers?: number;
  peaks: Peaks;
  models: ComparedModel[];
  sets: SetResult[];
}

/** One model on one set. */
export interface ComparedSet {
  model: ComparedModel;
  is_modernbert: boolean;
  set: SetResult;
  /** At all layers: those that were run took the time. */
  tokens_per_s: number;
  /** Of the class's ModernBERT on the same set; undefined if that was not measured. */
  times_modernbert: number | undefined;
  /** The same of the paper's figures on an RTX 4090. */
  paper_times_modernbert: number | undefined;
  /** Weights of all layers in f16, and the activations of this set. */
  memory_bytes: number;
  /** Documents of this length in the largest pass; more are computed in several. */
  largest_batch: number;
}

/** Each class's ModernBERT comes first. */
export function comparedSets({ models, sets }: Comparison): ComparedSet[] {
  const speed = (model: ComparedModel, set: SetResult) => (set.tokens_per_s * set.layers) / model.layers;
  return models.flatMap((model) => {
    const modernBert = models.find((other) => other.class === model.class)!;
    return sets
      .filter((set) => set.model === model.name)
      .map((set): ComparedSet => {
        const beside = sets.find((other) => other.model === modernBert.name && other.name === set.name);
        const ours = model.paper?.tokens_per_s[set.name];
        const theirs = modernBert.paper?.tokens_per_s[set.name];
        return {
          model,
          is_modernbert: model === modernBert,
          set,
          tokens_per_s: speed(model, set),
          times_modernbert: beside && speed(model, set) / speed(modernBert, beside),
          paper_times_modernbert: ours && theirs ? ours / theirs : undefined,
          memory_bytes: 2 * model.parameters! + set.peak_bytes - model.weight_bytes!,
          largest_batch: Math.floor(model.token_limit! / Number(set.name.split('-')[1])),
        };
      });
  });
}

const times = (value: number | undefined): string => (value === undefined ? '' : `${value.toFixed(2)}x`);

export const compareTable = (comparison: Comparison): Table => [
  [
    'model',
    'set',
    'tokens/s',
    'of ModernBERT',
    'in the paper',
    'its tokens/s',
    'of FMA peak',
    'useful',
    'memory',
    'largest batch',
    'batch in the paper',
  ],
  ...comparedSets(comparison).map(({ model, set, ...compared }) => [
    model.name,
    set.name,
    rate(compared.tokens_per_s),
    times(compared.times_modernbert),
    times(compared.paper_times_modernbert),
    model.paper?.tokens_per_s[set.name]?.toFixed(0) ?? '',
    percent(set.peak_share),
    percent(set.useful_flops_share),
    mib(compared.memory_bytes),
    String(compared.largest_batch),
    String(model.paper?.batch[set.name.split('-')[1]] ?? ''),
  ]),
];
