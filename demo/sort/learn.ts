import { type Classifier, type EmbeddingModel, trainClassifier } from '../../src/classifier';
import type { Embeddings } from '../../src/index';
import { lacking, type Score } from './ranking';
import { guess } from './seeds';
import type { Document } from './store';

/** Labels that every class needs before a classifier is trained: with one of each nothing could be tested. */
export const ENOUGH = 2;

/** What is known of the documents' classes. */
export interface Learnt {
  /** Best first, by hash; of documents that have a vector. */
  scores: Map<string, Score[]>;
  /** Trained on the labels; undefined while they are too few, and the scores follow from the names and the labels there are. */
  classifier?: Classifier;
  /** The labelled documents, in the order of the classifier's examples. */
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
 * Guesses the classes of documents: from the classes' names and the labels there are until every class has two labels, and from then on by a classifier
 * that is trained on the labels. `info` is that of the model which made the vectors.
 */
export async function learn(known: Known, info: EmbeddingModel['info']): Promise<Learnt> {
  const { classes, labels, vectors, names, space } = known;
  const documents = known.documents.filter(({ hash }) => vectors.has(hash));
  const own = documents.map(({ hash }) => vectors.get(hash) as Float32Array);
  if (classes.length < 2 || documents.length === 0) return { scores: new Map(), examples: [] };
  const ofClass = (label: string) => documents.filter(({ hash }) => labels.get(hash) === label);
  const examples = classes.flatMap(ofClass); // a classifier keeps the order in which it meets classes
  const labelled = examples.map(({ hash }) => labels.get(hash) as string);
  if (lacking(classes, labelled, ENOUGH).length > 0) {
    const indices = documents.map(({ hash }) => {
      const at = classes.indexOf(labels.get(hash) ?? '');
      return at < 0 ? undefined : at;
    });
    const shares = guess(own, names, indices);
    const scored = shares.map((row) => row.map((score, c) => ({ label: classes[c], score })));
    return { scores: bestFirst(documents, scored), examples };
  }
  const rows = examples.map(({ hash }) => vectors.get(hash) as Float32Array);
  const encoder = { info, embed: async () => asEmbeddings(rows, space) } as unknown as EmbeddingModel;
  const classifier = await trainClassifier(
    encoder,
    examples.map(({ text }, i) => ({ text, label: labelled[i] })),
    { kind: 'document', normalize: true },
  );
  return { scores: bestFirst(documents, await classifier.classify(asEmbeddings(own, space))), classifier, examples };
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
  return { ...learnt, scores, classifier: isOf ? learnt.classifier : undefined };
}

const bestFirst = (documents: Document[], scores: Score[][]): Map<string, Score[]> =>
  new Map(documents.map(({ hash }, i) => [hash, scores[i].toSorted((a, b) => b.score - a.score)]));
