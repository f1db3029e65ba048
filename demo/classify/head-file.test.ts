import { expect, it } from 'vitest';
import { loadClassifier } from '../../src/classifier';
import { checkModel, parseHeadFile, usage } from './head-file';

/** As this page exported it before there was a version 2. */
const first = {
  format: 'modernbert-webgpu/classifier-head',
  version: 1,
  model: 'someone/encoder',
  dtype: 'f16',
  dim: 3,
  labels: ['yes', 'no'],
  weights: [
    [0.5, 2, -3],
    [0.5, 0.25, 1],
  ],
  bias: [0.5, -1],
  training: { examples: 8, l2: 0.01, folds: 4, accuracy: 0.75 },
};
const head = parseHeadFile('head.json', JSON.stringify(first));

it('is refused for another model', () => {
  expect(() => checkModel(head, 'someone/encoder')).not.toThrow();
  expect(() => checkModel(head, 'nano-embed')).toThrow('trained on embeddings of someone/encoder, and nano-embed');
});

it('says what is wrong with a file', () => {
  const broken = (change: object) => () => parseHeadFile('a.json', JSON.stringify({ ...first, ...change }));
  expect(() => parseHeadFile('a.json', '{')).toThrow('a.json is not JSON');
  expect(() => parseHeadFile('a.json', 'null')).toThrow('a.json is not a classifier');
  expect(broken({ model: 3 })).toThrow('not a classifier');
  expect(broken({ labels: 'yes' })).toThrow('not a classifier');
});

it('is used as its snippet says', async () => {
  const embedding = Float32Array.of(0.6, 0, -0.8);
  const asked: unknown[] = [];
  const model = {
    info: { embeddingSize: 3, config: {} },
    embed: async () => ({ rows: 1, dim: 3, data: embedding, row: () => embedding }),
  };
  const library = {
    loadModel: async (...args: unknown[]) => {
      asked.push(args);
      return model;
    },
    loadClassifier,
    fetch: async (url: string) => ({ json: async () => (url === './classifier-head.json' ? first : undefined) }),
    console: { log: (...parts: unknown[]) => asked.push(parts) },
  };
  const code = usage(head, { name: 'encoder', source: './models/encoder' }).replace(/^import .*\n/gm, '');
  const { constructor: AsyncFunction } = Object.getPrototypeOf(async () => {});
  await AsyncFunction(...Object.keys(library), code)(...Object.values(library));
  // Logits: 0.5 · 0.6 + 3 · 0.8 + 0.5 = 3.2 and 0.5 · 0.6 - 0.8 - 1 = -1.5.
  const yes = 1 / (1 + Math.exp(-4.7));
  expect(asked).toEqual([
    ['./models/encoder', { dtype: 'f16' }],
    ['yes', expect.closeTo(yes, 6)],
  ]);
});

it('its snippet runs nothing that the texts of a file say', async () => {
  const text = `'"\`\${hit()}*/\n\r\u2028hit()//\u2029hit()//`;
  const line = usage({ ...head, dtype: text }, { name: text, source: text })
    .split('\n')
    .filter((line) => line.startsWith('const model'));
  expect(line).toHaveLength(1);
  const asked: unknown[] = [];
  const hit = () => asked.push('hit');
  const { constructor: AsyncFunction } = Object.getPrototypeOf(async () => {});
  await AsyncFunction('loadModel', 'hit', line[0])(async (...args: unknown[]) => asked.push(args), hit);
  expect(asked).toEqual([[text, { dtype: text }]]);
});
