import type { CallOptions, LabelScore } from '../api/calls';
import type { Embeddings } from '../api/embeddings';
import { CALL_OPTIONS, checkOptions, type OptionNames } from '../api/options';
import { turns } from '../turns';
import { probabilities } from './calibration';
import { checkEncoder, factsOf, readFile } from './file';
import { logitsInto } from './logistic-regression';
import type { Classifier, ClassifyTextsOptions, EmbeddingModel } from './types';
import { nearest, rankOf } from './typicality';

const OPTIONS: OptionNames<ClassifyTextsOptions> = {
  ...CALL_OPTIONS,
  topK: true,
  threshold: true,
  minTypicality: true,
};

type Texts = string | string[] | Embeddings;

/**
 * The classifier that `JSON.stringify` wrote, for the model that it was trained with: `JSON.parse` its text first. Throws a TypeError for data that
 * is damaged, a RangeError for another model or version. Models of one shape whose commits are not known cannot be told apart.
 */
export function loadClassifier(model: EmbeddingModel, json: unknown): Classifier {
  const { file, head, means } = readFile(json);
  const { labels, dim, encoder, embed, evaluation, typicality: ranks } = file;
  checkEncoder(encoder, factsOf(model.info, undefined));

  /** What `each` makes of the embedding of every text; of a single text of the only one. */
  async function ofEach<R>(texts: Texts, options: CallOptions, each: (x: Float32Array) => R): Promise<R | R[]> {
    const { signal, onProgress, truncate } = options;
    let embeddings = texts as Embeddings;
    if (typeof texts === 'string' || Array.isArray(texts)) {
      embeddings = await model.embed(texts, { ...embed, signal, onProgress, truncate });
    }
    checkEmbeddings(embeddings, dim);
    checkEncoder(encoder, factsOf(model.info, embeddings.embeddingSpace));
    const pause = turns(signal);
    const results: R[] = [];
    for (let i = 0; i < embeddings.rows; i++) {
      await pause();
      results.push(each(embeddings.row(i)));
    }
    return typeof texts === 'string' ? results[0] : results;
  }

  const typicalityOf = (x: Float32Array) => {
    if (ranks && means) return rankOf(ranks.percentiles, nearest(means, x));
    throw new RangeError(
      'This classifier does not know what is typical: that takes cross-validation of its examples. Give a label two examples, and folds.',
    );
  };

  async function classify(texts: Texts, options: ClassifyTextsOptions = {}) {
    checkOptions('classify', options, OPTIONS);
    const { topK = labels.length, threshold = 0, minTypicality = 0 } = options;
    if (!Number.isInteger(topK) || topK < 1) throw new RangeError(`topK must be a positive integer, it is ${topK}.`);
    checkShare('threshold', threshold);
    checkShare('minTypicality', minTypicality);
    const logits = new Float64Array(labels.length);
    return ofEach(texts, options, (x): LabelScore[] => {
      if (minTypicality > 0 && typicalityOf(x) < minTypicality) return [];
      logitsInto(logits, head, x);
      const shares = probabilities(logits);
      return labels
        .map((label, c) => ({ label, score: shares[c] }))
        .filter(({ score }) => score >= threshold)
        .sort((a, b) => b.score - a.score)
        .slice(0, topK);
    });
  }

  async function typicality(texts: Texts, options: CallOptions = {}) {
    checkOptions('typicality', options, CALL_OPTIONS);
    return ofEach(texts, options, typicalityOf);
  }

  return {
    labels,
    evaluation,
    classify: classify as Classifier['classify'],
    typicality: typicality as Classifier['typicality'],
    toJSON: () => file,
  };
}

function checkEmbeddings(embeddings: Embeddings, dim: number): void {
  if (!(embeddings?.data instanceof Float32Array)) {
    throw new TypeError('A classifier takes a text, a list of texts, or float32 embeddings.');
  }
  if (embeddings.dim === dim) return;
  throw new RangeError(
    `This classifier is for embeddings of ${dim} numbers, these have ${embeddings.dim}. They are of another model, or made with other options.`,
  );
}

function checkShare(name: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new RangeError(`${name} must be a number from 0 to 1, it is ${value}.`);
}
