import { expect, it } from 'vitest';
import type { ModelInfo } from '../../src/index';
import { asEmbeddings, blend, learn, stillKnown } from './learn';

const at = (degrees: number) =>
  Float32Array.of(Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180));
const info = { embeddingSize: 2, config: {} } as ModelInfo;
const angles: Record<string, number> = { a: 2, b: 8, c: 85, d: 95, e: 10, f: 80 };
const documents = Object.keys(angles).map((hash) => ({ hash, names: [`${hash}.txt`], text: `text ${hash}` }));
const known = {
  documents,
  classes: ['low', 'high'],
  vectors: new Map(documents.map(({ hash }) => [hash, at(angles[hash])])),
  names: [at(20), at(70)],
  space: 'test',
};
const bests = (scores: Map<string, { label: string }[]>) =>
  [...scores].map(([hash, [best]]) => `${hash} ${best.label}`);

it('has rows as embed gives them', () => {
  const embeddings = asEmbeddings([at(0), at(90)], 'test');
  expect([...embeddings.row(1)]).toEqual([...at(90)]);
  expect(embeddings).toMatchObject({ rows: 2, dim: 2, embeddingSpace: 'test' });
  expect(embeddings.toArrays()).toEqual([[...at(0)], [...at(90)]]);
});

it('guesses from names and labels while a class has fewer than two', async () => {
  const right = ['a low', 'b low', 'c high', 'd high', 'e low', 'f high'];
  const { scores, classifier } = await learn({ ...known, labels: new Map() }, info);
  expect(classifier).toBeUndefined();
  expect(bests(scores)).toEqual(right);
  const three = new Map([
    ['a', 'low'],
    ['b', 'low'],
    ['c', 'high'],
  ]);
  expect((await learn({ ...known, labels: three }, info)).classifier).toBeUndefined();
});

it('trains on the labels as soon as there are two of each, and tests what it says', async () => {
  const labels = new Map([
    ['a', 'high'],
    ['b', 'high'],
    ['c', 'low'],
    ['d', 'low'],
  ]);
  const { scores, classifier, evaluation, examples } = await learn({ ...known, labels }, info);
  expect(bests(scores)).toEqual(['a high', 'b high', 'c low', 'd low', 'e high', 'f low']); // whatever the names say
  expect(classifier?.labels).toEqual(['low', 'high']); // the order of the classes
  expect(classifier?.toJSON().embed).toEqual({ kind: 'document', normalize: true });
  expect(examples.map(({ hash }) => hash)).toEqual(['c', 'd', 'a', 'b']);
  expect(evaluation).toMatchObject({ folds: 2, tested: 4 });
  expect(evaluation?.confusion.flat().reduce((sum, n) => sum + n)).toBe(4);
});

it('finds labels that it has not seen, and counts one that is wrong', async () => {
  const many = Array.from({ length: 16 }, (_, i) => ({ hash: String(i), names: [], text: `text ${i}` }));
  const vectors = new Map(many.map(({ hash }, i) => [hash, at(i < 8 ? i : 75 + i)]));
  const labels = new Map(many.map(({ hash }, i) => [hash, i < 8 ? 'low' : 'high']));
  const right = await learn({ ...known, documents: many, vectors, labels }, info);
  expect(right.evaluation?.confusion).toEqual([
    [8, 0],
    [0, 8],
  ]);
  const wrong = await learn({ ...known, documents: many, vectors, labels: new Map([...labels, ['3', 'high']]) }, info);
  expect(wrong.evaluation?.mistakes.map(({ index, label }) => [wrong.examples[index].hash, label])).toEqual([
    ['3', 'low'],
  ]);
});

it('blends probabilities by weight', () => {
  const odds = (0.2 / 0.8) * Math.sqrt(0.9 / 0.1);
  expect(blend([[0.9, 0.1]], [[0.2, 0.8]], 0.5)[0][0]).toBeCloseTo(odds / (1 + odds), 10);
  expect(blend([[0.9, 0.1]], [[0.2, 0.8]], 0)[0][0]).toBeCloseTo(0.2, 10);
  expect(blend([[0.9, 0.1]], [[0.5, 0.5]], 1, 2)[0][0]).toBeCloseTo(3 / 4, 10);
  expect(blend([[1, 0]], [[0, 1]], 1)[0]).toEqual([0.5, 0.5]);
});

it('leaves out what has no vector yet, and guesses nothing for one class', async () => {
  const { scores } = await learn(
    {
      ...known,
      vectors: new Map([
        ['c', at(85)],
        ['a', at(1)],
      ]),
      labels: new Map(),
    },
    info,
  );
  expect([...scores.keys()]).toEqual(['a', 'c']);
  expect((await learn({ ...known, classes: ['low'], names: [at(0)], labels: new Map() }, info)).scores.size).toBe(0);
});

it('keeps what is still so when classes change', async () => {
  const labels = new Map([
    ['a', 'low'],
    ['b', 'low'],
    ['c', 'high'],
    ['d', 'high'],
  ]);
  const learnt = await learn({ ...known, labels }, info);
  expect(stillKnown(learnt, ['low', 'high'])).toEqual(learnt);
  const renamed = stillKnown(learnt, ['low', 'tall'], { from: 'high', to: 'tall' });
  expect(bests(renamed.scores)).toEqual(['a low', 'b low', 'c tall', 'd tall', 'e low', 'f tall']);
  expect(renamed.classifier).toBeUndefined(); // its labels have the old names
  const removed = stillKnown(learnt, ['high']);
  expect(removed.scores.get('a')).toEqual([{ label: 'high', score: learnt.scores.get('a')?.[1].score }]);
  expect(stillKnown(learnt, []).scores.size).toBe(0);
});
