import { expect, it } from 'vitest';
import { loadClassifier } from '../../src/classifier';
import type { ModelInfo } from '../../src/index';
import { learn } from './learn';
import { usage } from './take';

const unit = (x: number, y: number) => Float32Array.of(x, y).map((part) => part / Math.hypot(x, y));
const documents = ['a', 'b', 'c', 'd'].map((hash) => ({ hash, names: [hash], text: hash }));
const info = { embeddingSize: 2, maxTokens: 256, config: {} } as ModelInfo;

it('is used as its snippet says: the parts of a text have one vector', async () => {
  const vectors = new Map(
    [unit(1, 0), unit(1, 0.2), unit(0, 1), unit(0.2, 1)].map((vector, i) => [documents[i].hash, vector]),
  );
  const labels = new Map([
    ['a', 'x'],
    ['b', 'x'],
    ['c', 'y'],
    ['d', 'y'],
  ]);
  const known = { documents, classes: ['x', 'y'], labels, vectors, names: [], space: 'test' };
  const { classifier } = await learn(known, info);
  const file = classifier!.toJSON();

  const rows = [unit(1, 0), unit(0.6, 0.8)];
  const asked: unknown[] = [];
  const model = {
    info,
    chunk: async (text: string, options: object) => {
      asked.push([text, options]);
      return Array.from({ length: 9 }, (_, i) => ({ text: `part ${i}` }));
    },
    embed: async (texts: string[], options: object) => {
      asked.push([texts.length, options]);
      const row = (i: number) => rows[i % 2];
      return { rows: texts.length, dim: 2, data: new Float32Array(2 * texts.length), embeddingSpace: 'test', row };
    },
  };
  const scope = {
    loadModel: async (...args: unknown[]) => {
      asked.push(args);
      return model;
    },
    loadClassifier,
    fetch: async (url: string) => ({ json: async () => (url === './file-classes.json' ? file : undefined) }),
    console: { log: (...parts: unknown[]) => asked.push(parts) },
  };
  const code = usage({ encoder: { dtype: 'q4' } }, { name: 'nano', source: './models/nano' }).replace(
    /^import .*\n/gm,
    '',
  );
  const { constructor: AsyncFunction } = Object.getPrototypeOf(async () => {});
  await AsyncFunction(...Object.keys(scope), code)(...Object.values(scope));
  const [[best]] = await classifier!.classify({
    rows: 1,
    dim: 2,
    data: unit(1.6, 0.8),
    embeddingSpace: 'test',
    row: () => unit(1.6, 0.8),
    toArrays: () => [],
  });
  expect(asked).toEqual([
    ['./models/nano', { dtype: 'q4' }],
    ['Please pay the amount due within 30 days.', { maxTokens: 256 }],
    [8, { kind: 'document', normalize: true, truncate: true }],
    ['x', expect.closeTo(best.score, 6)],
  ]);
});
