import { expect, it } from 'vitest';
import { checkModel, headFile, linearHead, parseHeadFile, usage } from './head-file';
import { probabilities } from './logistic-regression';

const head = headFile(
  { weights: Float64Array.of(0.1, 2, -3, 0.5, 0.25, 1), bias: Float64Array.of(0.5, -1) },
  {
    model: 'someone/encoder',
    dtype: 'f16',
    dim: 3,
    labels: ['yes', 'no'],
    training: { examples: 8, l2: 0.01, folds: 4, accuracy: 0.75 },
  },
);

it('comes back from its file', () => {
  const read = parseHeadFile('head.json', JSON.stringify(head));
  expect(read).toEqual(head);
  expect(linearHead(read).bias).toEqual(Float64Array.of(0.5, -1));
});

it('is refused for another model', () => {
  expect(() => checkModel(head, { name: 'someone/encoder', dim: 3 })).not.toThrow();
  expect(() => checkModel(head, { name: 'nano-embed' })).toThrow(
    'trained on embeddings of someone/encoder, and nano-embed',
  );
  expect(() => checkModel(head, { name: 'someone/encoder', dim: 256 })).toThrow('3 numbers');
});

it('says what is wrong with a file', () => {
  const broken = (change: object) => () => parseHeadFile('a.json', JSON.stringify({ ...head, ...change }));
  expect(() => parseHeadFile('a.json', '{')).toThrow('a.json is not JSON');
  expect(() => parseHeadFile('a.json', 'null')).toThrow('not a classifier head');
  expect(broken({ format: 'other' })).toThrow('not a classifier head');
  expect(broken({ version: 2 })).toThrow('version 2');
  expect(broken({ bias: [1] })).toThrow('damaged');
  expect(
    broken({
      weights: [
        [1, 2, null],
        [1, 2, 3],
      ],
    }),
  ).toThrow('damaged');
});

it('is used as its snippet says', async () => {
  const code = usage(head, 'someone/encoder')
    .split('\n')
    .filter((line) => !/^(import|const (model|\{ labels))|console/.test(line));
  const embedding = Float32Array.of(0.6, 0, -0.8);
  const model = { embed: async () => ({ rows: 1, row: () => embedding }) };
  const classify = new Function('labels', 'weights', 'bias', 'model', `${code.join('\n')}\nreturn classify;`);
  const [[best, other]] = await classify(head.labels, head.weights, head.bias, model)(['x']);
  const [yes, no] = probabilities(linearHead(head), embedding);
  expect(best).toEqual({ label: 'yes', score: expect.closeTo(yes, 12) });
  expect(other).toEqual({ label: 'no', score: expect.closeTo(no, 12) });
});

it('its snippet runs nothing that the texts of a file say', async () => {
  const text = `'"\`\${hit()}*/\n\r\u2028hit()//\u2029hit()//`;
  const line = usage({ ...head, model: text, dtype: text }, text)
    .split('\n')
    .filter((line) => line.startsWith('const model'));
  expect(line).toHaveLength(1);
  const asked: unknown[] = [];
  const hit = () => asked.push('hit');
  const { constructor: AsyncFunction } = Object.getPrototypeOf(async () => {});
  await AsyncFunction('loadModel', 'hit', line[0])(async (...args: unknown[]) => asked.push(args), hit);
  expect(asked).toEqual([[text, { dtype: text }]]);
});
