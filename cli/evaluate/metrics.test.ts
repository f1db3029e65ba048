/** Against what pytrec_eval, scikit-learn, scipy and bm25s compute: tools/evaluation/make.py. */
import { describe, expect, it } from 'vitest';
import { bm25, wordsOf } from './bm25';
import expected from './fixtures/expected.json';
import { accuracy, f1, macroF1, matthews, pearson, spearman } from './label-metrics';
import { byRank, type Judgements, retrievalMetrics } from './retrieval-metrics';

const judgementsOf = (grades: object): Judgements => new Map(Object.entries(grades));
const rankingOf = (scores: object): string[] =>
  Object.entries(scores)
    .map(([id, score]) => ({ id, score: score as number }))
    .sort(byRank)
    .map(({ id }) => id);

describe('rankings', () => {
  it.each(expected.retrieval)('$about', ({ qrels, run, expected: values }) => {
    const queries = Object.entries(qrels);
    const runs = new Map<string, object>(Object.entries(run));
    const rankings = (query: string) => rankingOf(runs.get(query) ?? {});
    const all: Record<string, number>[] = [];
    for (const [query, grades] of queries) {
      const found = retrievalMetrics(new Map([[query, judgementsOf(grades)]]), rankings, expected.recallAt);
      const wanted = new Map<string, Record<string, number>>(Object.entries(values)).get(query)!;
      expect(Object.keys(found)).toEqual(Object.keys(wanted));
      for (const [name, value] of Object.entries(wanted))
        expect(found[name], `${query} ${name}`).toBeCloseTo(value, 12);
      all.push(found);
    }
    const judged = new Map(queries.map(([query, grades]) => [query, judgementsOf(grades)]));
    for (const [name, value] of Object.entries(retrievalMetrics(judged, rankings, expected.recallAt))) {
      expect(value, name).toBeCloseTo(all.reduce((sum, found) => sum + found[name], 0) / all.length, 12);
    }
  });

  it('a query without a ranking counts as 0', () => {
    const judged = new Map([
      ['found', judgementsOf({ a: 1 })],
      ['not', judgementsOf({ a: 1 })],
    ]);
    const metrics = retrievalMetrics(judged, (query) => (query === 'found' ? ['a'] : []), [10]);
    expect(metrics).toEqual({ 'ndcg@10': 0.5, 'recall@10': 0.5, 'mrr@10': 0.5 });
  });
});

it.each(expected.labels)('labels: $about', ({ gold, predicted, positive, expected: values }) => {
  expect(accuracy(gold, predicted)).toBeCloseTo(values.accuracy, 12);
  expect(f1(gold, predicted, positive)).toBeCloseTo(values.f1, 12);
  expect(macroF1(gold, predicted)).toBeCloseTo(values.macroF1, 12);
  expect(matthews(gold, predicted)).toBeCloseTo(values.mcc, 12);
});

it.each(expected.scores)('scores: $about', ({ gold, predicted, expected: values }) => {
  for (const [found, value] of [
    [pearson(gold, predicted), values.pearson],
    [spearman(gold, predicted), values.spearman],
  ]) {
    if (value === null) expect(found).toBeNaN();
    else expect(found).toBeCloseTo(value!, 11);
  }
});

describe('BM25', () => {
  it('scores as Lucene', async () => {
    const { texts, queries, scores } = expected.bm25;
    const score = await bm25(queries, texts);
    for (const [d, text] of texts.entries()) {
      const found = score(text);
      expect(found).toHaveLength(queries.length);
      for (const q of queries.keys()) expect(found[q], `${queries[q]}: ${text}`).toBeCloseTo(scores[q][d], 6);
    }
  });

  it('words are letters and digits, in lower case', () => {
    expect(wordsOf("The ship's 2nd Öl-lamp, snake_case")).toEqual([
      'the',
      'ship',
      's',
      '2nd',
      'öl',
      'lamp',
      'snake',
      'case',
    ]);
  });
});
