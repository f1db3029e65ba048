import { expect, it } from 'vitest';
import type { ModelInfo } from '../../src/index';
import { asEmbeddings, learn, stillKnown } from './learn';

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

it('trains on the labels as soon as there are two of each, whatever the names say', async () => {
  const labels = new Map([
    ['a', 'high'],
    ['b', 'high'],
    ['c', 'low'],
    ['d', 'low'],
  ]);
  const { scores, classifier, examples } = await learn({ ...known, labels }, info);
  expect(bests(scores)).toEqual(['a high', 'b high', 'c low', 'd low', 'e high', 'f low']);
  expect(classifier?.labels).toEqual(['low', 'high']); // the order of the classes
  expect(classifier?.evaluation).toMatchObject({ tested: 4, accuracy: 1 });
  expect(examples.map(({ hash }) => hash)).toEqual(['c', 'd', 'a', 'b']);
  expect(classifier?.toJSON().embed).toEqual({ kind: 'document', normalize: true });
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
