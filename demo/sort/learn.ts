import { type Classifier, type EmbeddingModel, type Evaluation, trainClassifier } from '../../src/classifier';
import type { Embeddings } from '../../src/index';
import { nextTask } from '../../src/turns';
import { evaluationOf, foldsOf } from './held-out';
import { lacking, type Score } from './ranking';
import { guess } from './seeds';
import type { Document } from './store';

/** Labels that every class needs before a classifier is trained: with one of each nothing could be tested. */
export const ENOUGH = 2;
/** Labels of the smallest class with which the classifier counts half as much as the names do. */
const EQUAL = 4;
const EMBED = { kind: 'document', normalize: true } as const;

/** What is known of the documents' classes. */
export interface Learnt {
  /** Best first, by hash; of documents that have a vector. */
  scores: Map<string, Score[]>;
  /** Trained on the labels; undefined while they are too few. */
  classifier?: Classifier;
  /** How good the scores are, by guessing labelled documents without their labels; there is one if there is a classifier. */
  evaluation?: Evaluation;
  /** The labelled documents, in the order of the evaluation's examples. */
  examples: Document[];
}

/** Vectors as what a model's `embed` gives. */
export function asEmbeddings(vectors: Float32Array[], space: string): Embeddings {
  const dim = vectors[0]?.length ?? 0;
  const data = new Float32Array(vectors.length * dim);
  for (const [i, vector] of vectors.entries()) data.set(vector, i * dim);
  const row = (i: number) => data.subarray(i * dim, (i + 1) * dim);
  return { data, rows: vectors.length, dim, embeddingSpace: space, row, toArrays: () => vectors.map((v) => [...v]) };
}

/** What `learn` works with: the vectors are of unit length and of one space. */
export interface Known {
  documents: Document[];
  classes: readonly string[];
  labels: ReadonlyMap<string, string>;
  /** By hash; perhaps not yet of all documents. */
  vectors: ReadonlyMap<string, Float32Array>;
  /** Of each class. */
  names: Float32Array[];
  space: string;
}

/**
 * Guesses the classes of documents from the names of the classes and the labels there are; as soon as every class has two labels also by a classifier
 * that is trained on them, which counts the more the more labels there are. With few, it alone is worse (of 60 mails of four classes with two labels
 * each it found 60% and 71%, the names with the labels all). `info` is that of the model which made the vectors.
 */
export async function learn(known: Known, info: EmbeddingModel['info']): Promise<Learnt> {
  const { classes, labels, vectors, names, space } = known;
  const documents = known.documents.filter(({ hash }) => vectors.has(hash));
  const own = documents.map(({ hash }) => vectors.get(hash) as Float32Array);
  if (classes.length < 2 || documents.length === 0) return { scores: new Map(), examples: [] };
  const targets = documents.map(({ hash }) => classes.indexOf(labels.get(hash) ?? ''));
  // Class by class: a classifier keeps the order in which it meets them.
  const order = classes.flatMap((_, c) => [...targets.keys()].filter((i) => targets[i] === c));
  const examples = order.map((i) => documents[i]);

  const byNames = (given: Set<number>) =>
    guess(
      own,
      names,
      targets.map((target, i) => (given.has(i) ? target : undefined)),
    );
  const train = async (given: number[], options: { folds?: number; l2?: number } = {}) => {
    await nextTask(); // the page answers between two pieces of work, each of some tens of milliseconds with hundreds of files
    const embed = async () =>
      asEmbeddings(
        given.map((i) => own[i]),
        space,
      );
    const encoder = { info, embed } as unknown as EmbeddingModel;
    const texts = given.map((i) => ({ text: documents[i].text, label: classes[targets[i]] }));
    return trainClassifier(encoder, texts, { ...EMBED, ...options });
  };
  /** [documents][classes] */
  async function byClassifier(classifier: Classifier): Promise<number[][]> {
    await nextTask();
    const found = await classifier.classify(asEmbeddings(own, space));
    return found.map((list) => classes.map((label) => list.find((one) => one.label === label)?.score ?? 0));
  }

  const given = order.map((i) => classes[targets[i]]);
  if (lacking(classes, given, ENOUGH).length > 0) {
    return { scores: bestFirst(documents, classes, byNames(new Set(order))), examples };
  }
  const classifier = await train(order);
  const weight = weightOf(classes, given);
  const scores = blend(await byClassifier(classifier), byNames(new Set(order)), weight);

  const tested = order.map((i) => ({ target: targets[i], text: documents[i].text }));
  const { fold, folds } = foldsOf(tested);
  const { l2, temperature } = classifier.toJSON();
  const heldOut: number[][] = [];
  for (let held = 0; held < folds; held++) {
    await nextTask();
    const seen = order.filter((_, k) => fold[k] !== held);
    const rows = byNames(new Set(seen));
    const isTrainable = new Set(seen.map((i) => targets[i])).size > 1;
    const shares = isTrainable
      ? blend(await byClassifier(await train(seen, { folds: 0, l2 })), rows, weight, temperature)
      : rows;
    for (const [k, i] of order.entries()) if (fold[k] === held) heldOut[k] = shares[i];
  }
  const evaluation = evaluationOf(classes, tested, heldOut, folds);
  return { scores: bestFirst(documents, classes, scores), classifier, evaluation, examples };
}

/** How much a classifier counts beside the names, which count 1: from a third with two labels of the smallest class on. */
function weightOf(classes: readonly string[], labels: string[]): number {
  const fewest = classes.map((label) => labels.filter((one) => one === label).length).reduce((a, b) => Math.min(a, b));
  return fewest / (fewest + EQUAL);
}

/**
 * Products of two lists of probabilities, which then sum up to 1; those of `a` count `weight`, 0 to 1, and are first made less sure by a temperature. A
 * mean of both would be less sure than it is right (training/eval/results/sort.md).
 */
export function blend(a: number[][], b: number[][], weight: number, temperature = 1): number[][] {
  return a.map((row, i) => {
    const powers = row.map((p, c) => {
      const [own, other] = [p, b[i][c]].map((share) => Math.log(Math.max(share, 1e-9)));
      return Math.exp((weight * own) / temperature + other);
    });
    const total = powers.reduce((sum, power) => sum + power, 0);
    return powers.map((power) => power / total);
  });
}

/**
 * What is still so after classes were removed, or one was renamed, until `learn` says more: scores of classes that there are, and the classifier only
 * if it is of these.
 */
export function stillKnown(learnt: Learnt, classes: readonly string[], renamed?: { from: string; to: string }): Learnt {
  const nameOf = (label: string) => (label === renamed?.from ? renamed.to : label);
  const scores = new Map<string, Score[]>();
  for (const [hash, list] of learnt.scores) {
    const known = list
      .map(({ label, score }) => ({ label: nameOf(label), score }))
      .filter(({ label }) => classes.includes(label));
    if (known.length > 0) scores.set(hash, known);
  }
  const isOf = learnt.classifier?.labels.join('\n') === classes.join('\n');
  return isOf ? { ...learnt, scores } : { scores, examples: learnt.examples };
}

const bestFirst = (documents: Document[], classes: readonly string[], shares: number[][]): Map<string, Score[]> =>
  new Map(
    documents.map(({ hash }, i) => {
      const scores = shares[i].map((score, c) => ({ label: classes[c], score }));
      return [hash, scores.sort((a, b) => b.score - a.score)];
    }),
  );
