/** Scores a checkpoint on a table of labelled texts or pairs. */
import { createReadStream } from 'node:fs';
import type { Model } from 'modernbert-webgpu/node';
import { type Input, readLines } from '../input';
import { type LineJob, runLines } from '../line-job';
import { openOutput } from '../output';
import { withProgress } from '../progress';
import type { Job } from './job';
import { accuracy, f1, macroF1, matthews, pearson, spearman } from './label-metrics';
import type { Loader } from './models';
import { speedOf } from './report';
import type { Stage } from './retrieval';
import { checkSame, type ModelSummary, meter, type Speed } from './summary';
import {
  type Columns,
  type LabelNames,
  labelJob,
  labelNames,
  type PairOptions,
  type Scorer,
  scoreJob,
  scorerOf,
} from './table-job';

export interface TableOptions {
  input: Input;
  columns: Columns;
  /** The column of labels, or of scores. */
  gold: { label: string } | { score: string };
  /** The data's names of the model's labels. */
  labels: string[] | undefined;
  /** The label whose F1 counts, as the data names it. */
  positive: string | undefined;
  pairs: PairOptions;
  loader: Loader;
  batch: number;
  truncate: boolean;
  /** Leave invalid rows out instead of stopping. */
  skipInvalid: boolean;
  job: Job;
  signal: AbortSignal;
}

const [FILE, MODEL] = ['predictions.jsonl', 'model.json'];

/** What is kept of the model beside the predictions. */
interface Saved {
  model: ModelSummary;
  speed: Speed;
  /** The model's own name of the positive label. */
  positive?: string;
}

export async function evaluateTable(options: TableOptions): Promise<{ rows: number; skipped: number; stage: Stage }> {
  const { job, columns, gold, loader } = options;
  const old = await job.read(MODEL);
  let saved: Saved | undefined = old && JSON.parse(old.toString());
  let names: { find: LabelNames; all: string[] } | undefined;
  let scorer: Scorer | undefined;
  const byModel = (model: Model): Omit<Saved, 'speed'> => {
    const { labels, task } = model.info;
    checkPairOptions(options.pairs, 'label' in gold || task === 'seqcls');
    if ('label' in gold) {
      names = { find: labelNames(model, options.labels), all: options.labels ?? labels };
      return { model: loader.summary(model, { labels }), positive: positiveOf(names, labels, options.positive) };
    }
    const { name, score } = scorerOf(model, columns.pair !== undefined, options.pairs);
    scorer = score;
    const { prompts, defaultPrompt, embeddingSize, pooling } = model.info;
    const prompt = options.pairs.prompt ?? (defaultPrompt && prompts[defaultPrompt]) ?? '';
    const dim = options.pairs.dimensions ?? embeddingSize;
    return {
      model: loader.summary(model, { score: name, ...(name === 'cosine' && { embeddingSize: dim, pooling, prompt }) }),
    };
  };
  const load = async (signal: AbortSignal) => {
    const model = await loader.load(signal);
    try {
      const now = byModel(model);
      checkSame(saved?.model, now.model);
      saved = { ...now, speed: saved?.speed ?? { tokens: 0, seconds: 0 } };
      await job.write(MODEL, [JSON.stringify(saved)]);
      return model;
    } catch (error) {
      await model.dispose();
      throw error;
    }
  };
  const table =
    'label' in gold ? labelJob(columns, gold.label, () => names!) : scoreJob(columns, gold.score, () => scorer!);
  const resumed = await predict(
    table as LineJob<unknown>,
    options,
    load,
    (speed) => {
      if (saved) saved.speed = speed;
    },
    saved?.speed,
  );
  if (!saved) throw new Error(`${options.input.name} has no rows.`);
  await job.write(MODEL, [JSON.stringify(saved)]);

  const { golds, predictions, skipped } = await readPredictions(job.at(FILE));
  if (golds.length === 0) throw new Error(`${options.input.name} has no valid row.`);
  const metrics = metricsOf(golds, predictions, saved.positive);
  const name = (saved.model.score as string | undefined) ?? 'classifier';
  const stage = {
    name,
    metrics,
    model: saved.model,
    positive: saved.positive,
    ...speedOf(saved.speed),
    ...(resumed > 0 && { resumedAfter: resumed }),
  };
  return { rows: golds.length, skipped, stage };
}

/** Throws an Error for options of embeddings, if a classifier computes. */
function checkPairOptions(pairs: PairOptions, isClassifier: boolean): void {
  const given = Object.entries(pairs).find(([, value]) => value !== undefined);
  if (given && isClassifier) throw new Error(`--${given[0]} is for embeddings, and here a classifier reads the texts.`);
}

/** Resolves to the rows that were there before. */
async function predict(
  table: LineJob<unknown>,
  { input, batch, truncate, skipInvalid, job, signal }: TableOptions,
  load: (signal: AbortSignal) => Promise<Model>,
  onSpeed: (speed: Speed) => void,
  before: Speed | undefined,
): Promise<number> {
  const output = await openOutput(job.at(FILE), { resume: true, overwrite: false, input: undefined });
  const resumed = output.done;
  let timer = meter(before);
  const timed: LineJob<unknown> = {
    ...table,
    async run(model, inputs, call) {
      const results = await table.run(model, inputs, { ...call, onProgress: timer.listener() });
      onSpeed(timer.speed());
      return results;
    },
  };
  const begin = async (signal: AbortSignal) => {
    const model = await load(signal);
    timer = meter(before);
    return model;
  };
  const warn = (text: string) => console.error(text);
  try {
    await withProgress(input.name, (progress) =>
      runLines(timed, {
        load: begin,
        input,
        output,
        progress,
        batch,
        keep: [],
        signal,
        truncate,
        strict: !skipInvalid,
        warn,
      }),
    );
  } finally {
    await output.close();
  }
  return resumed;
}

/** The model's name of the label whose F1 is counted: the one that is given, or the second of two, as GLUE's 1. */
function positiveOf({ find, all }: { find: LabelNames; all: string[] }, labels: string[], given: string | undefined) {
  if (given === undefined) return labels.length === 2 ? labels[1] : undefined;
  const found = find(given);
  if (found === undefined) throw new Error(`--positive: the model has no label '${given}'; it has ${all.join(', ')}.`);
  return found;
}

async function readPredictions(path: string) {
  const [golds, predictions]: (string | number)[][] = [[], []];
  let skipped = 0;
  for await (const { bytes } of readLines(createReadStream(path))) {
    const { gold, predicted, error } = JSON.parse(String(bytes));
    if (error !== undefined) {
      skipped++;
      continue;
    }
    golds.push(gold);
    predictions.push(predicted);
  }
  return { golds, predictions, skipped };
}

function metricsOf(
  gold: (string | number)[],
  predicted: (string | number)[],
  positive: string | undefined,
): Record<string, number> {
  if (typeof gold[0] === 'number') {
    const [a, b] = [gold as number[], predicted as number[]];
    return { pearson: pearson(a, b), spearman: spearman(a, b) };
  }
  const [a, b] = [gold as string[], predicted as string[]];
  return {
    accuracy: accuracy(a, b),
    ...(positive !== undefined && { f1: f1(a, b, positive) }),
    macroF1: macroF1(a, b),
    mcc: matthews(a, b),
  };
}
