import { expect, it } from 'vitest';
import { type Example, loadClassifier, type TrainProgress, trainClassifier } from './classifier';
import { circleModel } from './classifier/test-model';
import type { EmbeddingModel } from './classifier/types';

/** Two labels, around 10 and 80 degrees, and what is between and opposite. */
const ANGLES: Record<string, number> = { between: 45, opposite: 225, near: 12, far: 78, rare: 170 };
const EXAMPLES: Example[] = [];
for (let i = 0; i < 10; i++) {
  ANGLES[`east ${i}`] = i * 2;
  ANGLES[`north ${i}`] = 70 + i * 2;
  EXAMPLES.push({ text: `east ${i}`, label: 'east' }, { text: `north ${i}`, label: 'north' });
}
const { model, calls } = circleModel(ANGLES);

it('learns labels from examples', async () => {
  const heard: TrainProgress[] = [];
  const classifier = await trainClassifier(model, EXAMPLES, {
    kind: 'document',
    promptName: 'topic',
    truncate: true,
    onProgress: (progress) => heard.push(progress),
  });
  expect(calls.at(-1)?.options).toMatchObject({ kind: 'document', promptName: 'topic', truncate: true });
  expect(heard).toEqual([
    { phase: 'embed', done: 20, total: 20 },
    ...[1, 2, 3, 4, 5, 6].map((done) => ({ phase: 'train', done, total: 6 })),
  ]);
  expect(classifier.labels).toEqual(['east', 'north']);
  expect(classifier.evaluation).toMatchObject({ folds: 5, tested: 20, accuracy: 1, macroF1: 1, mistakes: [] });
  expect(classifier.evaluation.confusion).toEqual([
    [10, 0],
    [0, 10],
  ]);

  const [[best, other], [north]] = await classifier.classify(['near', 'far']);
  expect(calls.at(-1)?.options).toMatchObject({ kind: 'document', promptName: 'topic', truncate: undefined });
  expect([best.label, other.label, north.label]).toEqual(['east', 'north', 'north']);
  expect(best.score + other.score).toBeCloseTo(1, 12);
  expect(best.score).toBeGreaterThan(0.9);
  const one = await classifier.classify('near', { topK: 1 });
  expect(one).toEqual([best]);
  const [unsure] = await classifier.classify('between');
  expect(unsure.score).toBeLessThan(0.6);
  expect(await classifier.classify('between', { threshold: 0.7 })).toEqual([]);
});

it('is the same every time, and for embeddings as for texts', async () => {
  const [first, second] = [await trainClassifier(model, EXAMPLES), await trainClassifier(model, EXAMPLES)];
  expect(JSON.stringify(second)).toBe(JSON.stringify(first));
  const embeddings = await model.embed(['near', 'between']);
  expect(await first.classify(embeddings)).toEqual(await first.classify(['near', 'between']));
  expect(await first.typicality(embeddings)).toEqual(await first.typicality(['near', 'between']));
});

it('tells texts that are like no example', async () => {
  const classifier = await trainClassifier(model, EXAMPLES);
  const [typical, between, opposite] = await classifier.typicality(['near', 'between', 'opposite']);
  expect(typical).toBeGreaterThan(0.5);
  expect(between).toBe(0);
  expect(opposite).toBe(0);
  expect(await classifier.typicality('near')).toBe(typical);
  expect(await classifier.classify(['near', 'opposite'], { minTypicality: 0.05 })).toEqual([
    [
      { label: 'east', score: expect.any(Number) },
      { label: 'north', score: expect.any(Number) },
    ],
    [],
  ]);
  const [east] = await classifier.classify('opposite');
  expect(east).toBeDefined(); // unless it is asked not to
});

it('comes back from JSON', async () => {
  const classifier = await trainClassifier(model, EXAMPLES, { dimensions: 2 });
  const again = loadClassifier(model, JSON.parse(JSON.stringify(classifier)));
  expect(again.evaluation).toEqual(classifier.evaluation);
  const texts = ['near', 'between', 'opposite'];
  expect(await again.classify(texts)).toEqual(await classifier.classify(texts));
  expect(await again.typicality(texts)).toEqual(await classifier.typicality(texts));
  expect(calls.at(-1)?.options).toMatchObject({ dimensions: 2 });
  expect(JSON.stringify(again)).toBe(JSON.stringify(classifier));
});

it('is refused for another model', async () => {
  const json = (await trainClassifier(model, EXAMPLES)).toJSON();
  const load = (info: object) => () => loadClassifier(circleModel(ANGLES, info).model, json);
  expect(load({ dtype: 'q8', commit: 'abc' })).not.toThrow(); // the commit of the first was not known
  expect(load({ vocabSize: 200 })).toThrow('another model: vocabSize was 100, and is 200');
  expect(load({ config: { model_type: 'bert' } })).toThrow('modelType was "tiny", and is "bert"');
  expect(load({ loraAdapter: 'law' })).toThrow('loraAdapter was "", and is "law"');

  const ofSpace = (space?: string) => circleModel(ANGLES, {}, space).model;
  const classifier = await trainClassifier(ofSpace('a/b@1/float/mean/2/unit'), EXAMPLES);
  expect(classifier.toJSON().encoder.embeddingSpace).toBe('a/b@1/float/mean/2/unit');
  const used = (space?: string) => loadClassifier(ofSpace(space), classifier.toJSON()).classify('near');
  await expect(used('a/c@1/float/mean/2/unit')).rejects.toThrow('embeddingSpace was "a/b@1/float/mean/2/unit", and is');
  await expect(used()).resolves.toHaveLength(2);
  const changed = circleModel(ANGLES);
  const loaded = loadClassifier(changed.model, json);
  Object.assign(changed.model.info, { loraAdapter: 'law' });
  await expect(loaded.classify('near')).rejects.toThrow('loraAdapter');
});

it('tests what can be tested', async () => {
  const rare = await trainClassifier(model, [...EXAMPLES, { text: 'rare', label: 'west' }]);
  expect(rare.evaluation).toMatchObject({ folds: 5, examples: 21, tested: 20 });
  expect(rare.evaluation.labels[2]).toEqual({ label: 'west', examples: 1, support: 0 });
  expect((await rare.classify('rare'))[0].label).toBe('west');

  const single = await trainClassifier(model, [EXAMPLES[0], EXAMPLES[1]]);
  expect(single.evaluation).toMatchObject({ folds: 0, tested: 0, reason: expect.stringContaining('two texts') });
  expect((await single.classify('near'))[0].label).toBe('east');
  await expect(single.typicality('near')).rejects.toThrow('does not know what is typical');
  await expect(single.classify('near', { minTypicality: 0.1 })).rejects.toThrow('does not know what is typical');
  expect(loadClassifier(model, JSON.parse(JSON.stringify(single))).evaluation).toEqual(single.evaluation);

  const asked = await trainClassifier(model, EXAMPLES, { folds: 0, l2: 0.5 });
  expect(asked.evaluation).toMatchObject({ folds: 0, reason: 'folds was 0.' });
  expect(asked.toJSON()).toMatchObject({ l2: 0.5, temperature: 1, typicality: null });
});

it('reports texts that are given twice, and never tests on what was learnt', async () => {
  const twice = [...EXAMPLES, { text: 'east 0', label: 'east' }, { text: 'north 0', label: 'east' }];
  const { evaluation } = await trainClassifier(model, twice);
  expect(evaluation).toMatchObject({ duplicates: [20], conflicts: [21], tested: 22 });
  expect(evaluation.mistakes).toEqual([{ index: 21, label: 'north', score: expect.any(Number) }]);
});

it('refuses what it cannot learn from', async () => {
  const train = (examples: unknown, options?: object) => trainClassifier(model, examples as Example[], options);
  const good = EXAMPLES.slice(0, 2);
  await expect(train('x')).rejects.toThrow('must be an array, not string');
  await expect(train([])).rejects.toThrow('at least two labels, these have none');
  await expect(train([EXAMPLES[0], EXAMPLES[2]])).rejects.toThrow("these have only 'east'");
  await expect(train([...good, { text: ' ', label: 'x' }])).rejects.toThrow('Example 2: text is empty');
  await expect(train([...good, { text: 'x', label: '' }])).rejects.toThrow('Example 2: label is empty');
  await expect(train([...good, { text: 'x' }])).rejects.toThrow('Example 2: label must be a string, it is undefined');
  await expect(train([null, ...good])).rejects.toThrow('Example 0: text must be a string');
  await expect(train(good, { fold: 3 })).rejects.toThrow("no option 'fold'. Did you mean 'folds'");
  for (const folds of [1, 2.5, -1]) await expect(train(good, { folds })).rejects.toThrow(`it is ${folds}`);
  await expect(train(good, { l2: 0 })).rejects.toThrow('l2 must be a positive number, it is 0');
});

it('refuses wrong calls', async () => {
  const classifier = await trainClassifier(model, EXAMPLES);
  await expect(trainClassifier(Promise.resolve(model) as never, EXAMPLES)).rejects.toThrow('await loadModel');
  await expect(classifier.classify('near', { topK: 0 })).rejects.toThrow('topK must be a positive integer');
  await expect(classifier.classify('near', { threshold: 2 })).rejects.toThrow('threshold must be a number from 0 to 1');
  await expect(classifier.classify('near', { minTypicality: Number.NaN })).rejects.toThrow('it is NaN');
  await expect(classifier.classify('near', { raw: true } as object)).rejects.toThrow("no option 'raw'");
  await expect(classifier.classify(3 as unknown as string)).rejects.toThrow('a text, a list of texts, or float32');
  const wide = { ...(await model.embed('near')), dim: 3 };
  await expect(classifier.classify(wide)).rejects.toThrow('embeddings of 2 numbers, these have 3');
});

it('lets its thread do other things, and ends when it is told to', async () => {
  const [rows, dim, classes] = [400, 256, 10];
  const data = Float32Array.from({ length: rows * dim }, (_, i) => Math.sin(i * i));
  const slow = { info: model.info, embed: async () => ({ data, rows, dim }) } as unknown as EmbeddingModel;
  const examples = Array.from({ length: rows }, (_, i) => ({ text: `${i}`, label: `${i % classes}` }));
  const left = new AbortController();
  const reason = new Error('the user left');
  let turns = 0;
  const timer = setInterval(() => ++turns === 2 && left.abort(reason), 1);
  try {
    await expect(trainClassifier(slow, examples, { l2: 1e-6, signal: left.signal })).rejects.toBe(reason);
  } finally {
    clearInterval(timer);
  }
  await expect(trainClassifier(model, EXAMPLES, { signal: left.signal })).rejects.toBe(reason);
});
