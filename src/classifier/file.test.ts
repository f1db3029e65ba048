import { expect, it } from 'vitest';
import { loadClassifier, trainClassifier } from '../classifier';
import { readFile } from './file';
import { circleModel } from './test-model';

const ANGLES = { a: 0, b: 20, c: 90, d: 110 };
const { model } = circleModel(ANGLES);
const examples = Object.keys(ANGLES).map((text, i) => ({ text, label: i < 2 ? 'low' : 'high' }));
const file = (await trainClassifier(model, examples)).toJSON();

/** As the demo exported it before there was a version 2. */
const FIRST = {
  format: file.format,
  version: 1,
  model: 'someone/encoder',
  dtype: 'f16',
  dim: 2,
  labels: ['yes', 'no'],
  weights: [
    [0.5, 2],
    [0.25, -1],
  ],
  bias: [0.5, -1],
  training: { examples: 8, l2: 0.01, folds: 4, accuracy: 0.75 },
};

it('keeps numbers as they are', () => {
  const { head, means } = readFile(JSON.parse(JSON.stringify(file)));
  expect(head.bias).toEqual(Float64Array.from(file.bias));
  expect(head.weights).toHaveLength(4);
  // The mean directions of the labels: 10 and 100 degrees.
  for (const [i, degrees] of [10, 100].entries()) {
    expect(means?.[2 * i]).toBeCloseTo(Math.cos((degrees * Math.PI) / 180), 6);
    expect(means?.[2 * i + 1]).toBeCloseTo(Math.sin((degrees * Math.PI) / 180), 6);
  }
  expect(readFile({ ...file, weights: 'AACAPwAAAMAAAAAAzczMPQ==' }).head.weights).toEqual(
    Float64Array.of(1, -2, 0, Math.fround(0.1)),
  );
});

it('reads the first version', async () => {
  const classifier = loadClassifier(model, FIRST);
  expect(classifier.evaluation).toMatchObject({ folds: 0, reason: expect.stringContaining('version 1') });
  const [yes, no] = await classifier.classify('c'); // at (0, 1): 2.5 and -2
  expect([yes.label, no.label]).toEqual(['yes', 'no']);
  expect(yes.score).toBeCloseTo(1 / (1 + Math.exp(-4.5)), 6);
  await expect(classifier.typicality('c')).rejects.toThrow('does not know what is typical');
  const written = JSON.parse(JSON.stringify(classifier));
  expect(written.version).toBe(2);
  expect(await loadClassifier(model, written).classify('c')).toEqual([yes, no]);
  expect(() => loadClassifier(circleModel(ANGLES, { embeddingSize: 3 }).model, FIRST)).toThrow('embeddingSize was 2');
});

it.each<[string, object]>([
  ['"format"', { format: 'other' }],
  ['version 3', { version: 3 }],
  ['"labels"', { labels: ['one'] }],
  ['"labels"', { labels: ['one', 'one'] }],
  ['"dim"', { dim: 2.5 }],
  ['"bias"', { bias: [1] }],
  ['"bias"', { bias: [1, null] }],
  ['"weights"', { weights: 'AACAPw==' }],
  ['"weights"', { weights: '?' }],
  ['"weights"', { weights: [[1, 2]] }],
  ['"weights" must be finite', { weights: 'AADAfwAAAMAAAAAAzczMPQ==' }],
  ['"temperature"', { temperature: 0 }],
  ['"l2"', { l2: '1' }],
  ['"encoder"', { encoder: undefined }],
  ['"embed"', { embed: [] }],
  ["no option 'precision'", { embed: { precision: 'int8' } }],
  ['"evaluation"', { evaluation: undefined }],
  ['"evaluation.confusion"', { evaluation: { ...file.evaluation, confusion: [[1]] } }],
  ['"typicality"', { typicality: undefined }],
  ['"typicality.percentiles"', { typicality: { ...file.typicality, percentiles: [0.1, 0.2] } }],
  ['"typicality.percentiles"', { typicality: { ...file.typicality, percentiles: Array(101).fill(1).fill(0, 1) } }],
  ['"typicality.means"', { typicality: { ...file.typicality, means: '' } }],
])('says that %s is wrong', (message, change) => {
  expect(() => readFile({ ...file, ...change })).toThrow(message);
});

it('says what is wrong with the first version, and with anything else', () => {
  expect(() => readFile({ ...FIRST, weights: [[1, 2], [1]] })).toThrow('"weights" must be a list of dim numbers');
  for (const json of [null, 'text', [], {}]) expect(() => readFile(json)).toThrow('not a classifier');
});
