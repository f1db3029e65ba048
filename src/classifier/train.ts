import { checkOptions, type OptionNames } from '../api/options';
import { type Pause, turns } from '../turns';
import { fitTemperature, logLoss, type Outcome, probabilities } from './calibration';
import { loadClassifier } from './classify';
import { crossValidate, foldCount, stratifiedFolds } from './cross-validation';
import { evaluate, type Given, untested } from './evaluation';
import { EMBED_OPTIONS, FORMAT, factsOf, toBase64 } from './file';
import { type Examples, trainHeads } from './logistic-regression';
import type { Classifier, ClassifierFile, EmbeddingModel, Example, TrainClassifierOptions } from './types';
import { classMeans, percentilesOf } from './typicality';

const OPTIONS: OptionNames<TrainClassifierOptions> = {
  ...EMBED_OPTIONS,
  folds: true,
  l2: true,
  truncate: true,
  signal: true,
  onProgress: true,
};

/** Strengths of the penalty that are tried, and the one that is taken untried. */
const STRENGTHS = [0.01, 0.001, 0.0001];
const UNTRIED = 0.001;

/**
 * Trains a classifier on examples of your labels, two or more, from a model's embeddings of the texts: multinomial logistic regression. Equal texts
 * may have several labels. The computation is on this thread and lets it do other things every 16 ms; the same examples give the same classifier.
 * Rejects with a TypeError or RangeError for examples and options that are wrong, as `embed` does for texts, or with the signal's reason.
 */
export async function trainClassifier(
  model: EmbeddingModel,
  examples: Example[],
  options: TrainClassifierOptions = {},
): Promise<Classifier> {
  checkOptions('trainClassifier', options, OPTIONS);
  if (typeof model?.embed !== 'function') {
    throw new TypeError('trainClassifier needs a loaded model: await loadModel(…).');
  }
  const { folds: asked = 5, l2, truncate, signal, onProgress, ...embed } = options;
  if (!Number.isInteger(asked) || asked < 0 || asked === 1) {
    throw new RangeError(`folds must be 0, or an integer from 2, it is ${asked}.`);
  }
  if (l2 !== undefined && !(Number.isFinite(l2) && l2 > 0)) {
    throw new RangeError(`l2 must be a positive number, it is ${l2}.`);
  }
  const { texts, firsts, ...given } = read(examples);
  const embeddings = await model.embed(texts, {
    ...embed,
    truncate,
    signal,
    onProgress: onProgress && (({ done, total }) => onProgress({ phase: 'embed', done, total })),
  });
  const { data: features, dim } = embeddings;
  const { labels, targets } = given;
  const set: Examples = { features, dim, targets, classes: labels.length };
  const folds = foldCount({ ...set, firsts }, asked);
  const pause = turns(signal);
  const onRound = (done: number) => onProgress?.({ phase: 'train', done, total: folds + 1 });

  const fold = stratifiedFolds({ ...set, firsts }, Math.max(folds, 1));
  const strengths = l2 === undefined ? STRENGTHS : [l2];
  const tested = folds > 0 ? await test(set, given, fold, folds, strengths, pause, onRound) : undefined;
  const strength = tested?.strength ?? l2 ?? UNTRIED;
  const [head] = await trainHeads(set, [strength], pause);
  onRound(folds + 1);

  const temperature = tested?.temperature ?? 1;
  const reason = asked > 0 ? 'No label has two texts that differ: none could be held out.' : 'folds was 0.';
  const evaluation = tested?.evaluation ?? untested(given, reason);
  const typicality = tested ? { means: toBase64(classMeans(set)), percentiles: tested.percentiles } : null;
  const file: ClassifierFile = {
    format: FORMAT,
    version: 2,
    labels,
    dim,
    weights: toBase64(head.weights.map((weight) => weight / temperature)),
    bias: [...head.bias].map((bias) => bias / temperature),
    temperature,
    l2: strength,
    typicality,
    encoder: factsOf(model.info, embeddings.embeddingSpace),
    embed,
    evaluation,
  };
  return loadClassifier(model, file);
}

/** What cross-validation finds: the best strength of the penalty, the temperature, measures, and how typical held out examples are. */
async function test(
  set: Examples,
  given: Given,
  fold: number[],
  folds: number,
  strengths: number[],
  pause: Pause,
  onFold: (done: number) => void,
) {
  const { targets } = set;
  const { tested, logits, cosines } = await crossValidate(set, fold, folds, strengths, pause, onFold);
  const truth = tested.map((i) => targets[i]);
  let best = { strength: Number.NaN, temperature: 1, loss: Infinity, outcomes: [] as Outcome[] };
  for (const [s, strength] of strengths.entries()) {
    const outcomes = tested.map((i) => ({ logits: logits[s][i], target: targets[i] }));
    const temperature = await fitTemperature(outcomes, pause);
    const loss = logLoss(
      outcomes.map((outcome) => probabilities(outcome.logits, temperature)),
      truth,
    );
    if (loss < best.loss) best = { strength, temperature, loss, outcomes };
  }
  const { strength, temperature, outcomes } = best;
  // The measures are of a temperature that has not seen them either.
  const temperatures: number[] = [];
  for (let held = 0; held < folds; held++) {
    temperatures.push(
      await fitTemperature(
        outcomes.filter((_, t) => fold[tested[t]] !== held),
        pause,
      ),
    );
  }
  const shares = outcomes.map((outcome, t) => probabilities(outcome.logits, temperatures[fold[tested[t]]]));
  const percentiles = percentilesOf(Float64Array.from(tested, (i) => cosines[i]));
  return { strength, temperature, percentiles, evaluation: evaluate(given, folds, tested, shares) };
}

/** The texts and labels of examples. Throws a TypeError or RangeError that names the one that is wrong. */
function read(examples: Example[]): Given & { texts: string[]; firsts: number[] } {
  if (!Array.isArray(examples)) throw new TypeError(`The examples must be an array, not ${typeof examples}.`);
  const labels = new Map<string, number>();
  const firsts = new Map<string, number>();
  const seen = new Set<string>();
  const [duplicates, conflicts]: number[][] = [[], []];
  for (const [i, example] of examples.entries()) {
    for (const field of ['text', 'label'] as const) {
      const value: unknown = example?.[field];
      if (typeof value !== 'string')
        throw new TypeError(`Example ${i}: ${field} must be a string, it is ${typeof value}.`);
      if (value.trim() === '') throw new RangeError(`Example ${i}: ${field} is empty.`);
    }
    const { text, label } = example;
    const pair = JSON.stringify([text, label]);
    if (seen.has(pair)) duplicates.push(i);
    else if (firsts.has(text)) conflicts.push(i);
    seen.add(pair);
    if (!firsts.has(text)) firsts.set(text, i);
    if (!labels.has(label)) labels.set(label, labels.size);
  }
  if (labels.size < 2) {
    throw new RangeError(
      `A classifier needs examples of at least two labels, these have ${labels.size === 1 ? `only '${[...labels.keys()][0]}'` : 'none'}.`,
    );
  }
  return {
    labels: [...labels.keys()],
    targets: examples.map(({ label }) => labels.get(label)!),
    texts: examples.map(({ text }) => text),
    firsts: examples.map(({ text }) => firsts.get(text)!),
    duplicates,
    conflicts,
  };
}
