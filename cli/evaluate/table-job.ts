/** What a model makes of a table's rows, as jobs over lines: labels by its classifier, scores by its regression head or by cosine. */
import type { CallOptions, Model, TextPair } from 'modernbert-webgpu/node';
import { similarity } from 'modernbert-webgpu/node';
import { fieldOf, type Row, textField } from '../input';
import type { LineJob } from '../line-job';
import { embeddingsOf } from './first-stage';

export interface Columns {
  text: string;
  /** Of pairs. */
  pair: string | undefined;
}

/** A row's gold label or score beside its texts. */
interface Example<G> {
  input: string | TextPair;
  gold: G;
}
export type TableJob<G> = LineJob<Example<G>>;

const readInput = (row: Row, { text, pair }: Columns): string | TextPair =>
  pair === undefined ? textField(row, text) : { text: textField(row, text), pair: textField(row, pair) };

const SAMPLE = { text: 'a', pair: 'a' };
const sampleOf = ({ pair }: Columns) => (pair === undefined ? 'a' : SAMPLE);

/** The model's label for a name in the data. */
export type LabelNames = (name: string) => string | undefined;

/**
 * How the data names the model's labels. `given`: names in the order of the model's labels. Otherwise the model's own names, or their indices, as
 * in GLUE's files. Throws an Error if the model does not choose among labels.
 */
export function labelNames({ info }: Model, given: string[] | undefined): LabelNames {
  const { labels, task, config } = info;
  if (task !== 'seqcls' || labels.length < 2) {
    const has =
      task === 'seqcls' ? `has one label ('${labels[0]}'): compare its score with --score-field` : `is of task ${task}`;
    throw new Error(`Labels need a sequence classifier with two or more; this checkpoint ${has}.`);
  }
  if (config.problem_type === 'multi_label_classification') {
    throw new Error(
      'This checkpoint may give a text several labels (multi_label_classification), which no metric here counts.',
    );
  }
  if (given && given.length !== labels.length) {
    throw new Error(`--labels has ${given.length} names, the model ${labels.length} labels: ${labels.join(', ')}.`);
  }
  if (given) return (name) => labels[given.indexOf(name)];
  return (name) => (labels.includes(name) ? name : /^\d{1,6}$/.test(name) ? labels[Number(name)] : undefined);
}

/** Rows with labels. `names` is known once the model is loaded. */
export const labelJob = (
  columns: Columns,
  field: string,
  names: () => { find: LabelNames; all: string[] },
): TableJob<string> => ({
  writes: ['gold', 'predicted'],
  sample: () => ({ input: sampleOf(columns), gold: '' }),
  read(row) {
    const value = fieldOf(row, field);
    const { find, all } = names();
    const gold = find(String(value));
    if (gold === undefined) {
      throw row.error(
        `the model has no label '${String(value).slice(0, 100)}'; it has ${all.join(', ').slice(0, 300)}. Name them as the data does with --labels.`,
      );
    }
    return { input: readInput(row, columns), gold };
  },
  async run(model, examples, options) {
    const found = await model.classify(
      examples.map(({ input }) => input),
      { ...options, topK: 1 },
    );
    return examples.map(({ gold }, i) => ({ gold, predicted: found[i][0].label }));
  },
});

/** A score for each text or pair. */
export type Scorer = (inputs: (string | TextPair)[], options: CallOptions) => Promise<number[]>;

export interface PairOptions {
  prompt: string | undefined;
  dimensions: number | undefined;
}

/**
 * A classifier with one label scores texts and pairs: its logit if it is a regression, else what `rerank` or `classify` gives. Anything else
 * embeds both texts of a pair, and their cosine is the score. Throws an Error for what neither can score.
 */
export function scorerOf(
  model: Model,
  isPair: boolean,
  { prompt, dimensions }: PairOptions,
): { name: string; score: Scorer } {
  const { task, labels, config } = model.info;
  if (task === 'seqcls') {
    if (labels.length !== 1) {
      throw new Error(
        `Scores need a model with one label, or one for embeddings; this one has ${labels.length}: ${labels.join(', ')}.`,
      );
    }
    if (isPair && config.problem_type !== 'regression') return { name: 'cross-encoder', score: crossScores(model) };
    const score: Scorer = async (inputs, options) =>
      (await model.classify(inputs, options)).map(([{ score }]) => score);
    return { name: config.problem_type === 'regression' ? 'regression' : 'classifier', score };
  }
  if (!isPair)
    throw new Error(
      'Scores of single texts need a model with a regression head. For pairs, name the second text with --pair-field.',
    );
  return {
    name: 'cosine',
    async score(inputs, options) {
      const pairs = inputs as TextPair[];
      const texts = [...pairs.map(({ text }) => text), ...pairs.map(({ pair }) => pair)];
      const { row } = await model.embed(texts, { ...options, prompt, dimensions });
      return pairs.map((_, i) => similarity(embeddingsOf([row(i)]), embeddingsOf([row(pairs.length + i)]))[0][0]);
    },
  };
}

const crossScores =
  (model: Model): Scorer =>
  (inputs, options) => {
    // Each call counts its own tokens from 0.
    const seen = new Map<number, number>();
    const onProgress =
      (call: number): CallOptions['onProgress'] =>
      (progress) => {
        seen.set(call, progress.tokens);
        const tokens = [...seen.values()].reduce((sum, n) => sum + n, 0);
        options.onProgress?.({ ...progress, tokens });
      };
    return Promise.all(
      (inputs as TextPair[]).map(async ({ text, pair }, i) => {
        const [{ score }] = await model.rerank(text, [pair], { ...options, onProgress: onProgress(i) });
        return score;
      }),
    );
  };

/** Rows with scores. `scorer` is known once the model is loaded. */
export const scoreJob = (columns: Columns, field: string, scorer: () => Scorer): TableJob<number> => ({
  writes: ['gold', 'predicted'],
  sample: () => ({ input: sampleOf(columns), gold: 0 }),
  read(row) {
    const value = fieldOf(row, field);
    const gold = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof gold !== 'number' || !Number.isFinite(gold)) {
      throw row.error(`field '${field}' must be a number, it is '${String(value).slice(0, 100)}'.`);
    }
    return { input: readInput(row, columns), gold };
  },
  async run(_, examples, options) {
    const found = await scorer()(
      examples.map(({ input }) => input),
      options,
    );
    return examples.map(({ gold }, i) => ({ gold, predicted: found[i] }));
  },
});
