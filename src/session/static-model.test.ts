import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ModelFileError, UnsupportedModelError } from '../api/errors';
import { safetensorsBytes } from '../formats/fixtures';
import { loadModel } from '../node';

const fixtures = fileURLToPath(new URL('../reference/fixtures/', import.meta.url));
const TOKENIZER = readFileSync(`${fixtures}static-normalize/tokenizer.json`);
const VOCAB = 380;

/** One that no model here may ask for anything. */
const gpu = {
  requestAdapter() {
    throw new Error('This model needs no GPU.');
  },
} as unknown as GPU;

type Tensor = { dtype: string; shape: number[]; bytes: ArrayBufferView };

function weightsOf(tensors: Record<string, Tensor>): Uint8Array<ArrayBuffer> {
  let at = 0;
  const parts: Uint8Array[] = [];
  const header = Object.fromEntries(
    Object.entries(tensors).map(([name, { dtype, shape, bytes }]) => {
      parts.push(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      const begin = at;
      at += bytes.byteLength;
      return [name, { dtype, shape, data_offsets: [begin, at] }];
    }),
  );
  return safetensorsBytes(header, Uint8Array.from(parts.flatMap((part) => [...part])));
}

const f32 = (shape: number[], value: (i: number) => number): Tensor => ({
  dtype: 'F32',
  shape,
  bytes: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => value(i)),
});

type Files = Record<string, unknown>;

/** A checkpoint of one module, and others after it. */
function checkpoint(
  kind: string,
  weights: Uint8Array<ArrayBuffer> | undefined,
  files: Files = {},
  after: string[] = [],
) {
  const modules = [kind, ...after].map((type, i) => ({
    path: i === 0 ? '' : `${i}_${type}`,
    type: `sentence_transformers.modules.${type}`,
  }));
  return new Map<string, Blob>([
    ['modules.json', new Blob([JSON.stringify(modules)])],
    ['tokenizer.json', new Blob([TOKENIZER])],
    ...(weights ? ([['model.safetensors', new Blob([weights])]] as const) : []),
    ...Object.entries(files).map(([name, json]): [string, Blob] => [name, new Blob([JSON.stringify(json)])]),
  ]);
}

const load = (files: Map<string, Blob>, options = {}) => loadModel(files, { gpu, ...options });
const table = () => f32([VOCAB, 2], (i) => (i % 2 === 0 ? i / 2 : 1));

describe('StaticEmbedding', () => {
  const files = (more: Files = {}, after: string[] = []) =>
    checkpoint('StaticEmbedding', weightsOf({ 'embedding.weight': table() }), more, after);

  it('is the mean of the tokens, without special ones; says what it is', async () => {
    const model = await load(files());
    const { ids, tokens } = await model.tokenize('Paris is a city');
    expect(tokens.join()).not.toMatch(/CLS|SEP/);
    const [row] = [(await model.embed('Paris is a city', { normalize: false })).row(0)];
    expect([...row]).toEqual([Math.fround(ids.reduce((a, b) => a + b) / ids.length), 1]);
    const { adapter, dtype, task, embeddingSize, vocabSize, pooling } = model.info;
    expect({ dtype, task, embeddingSize, vocabSize, pooling }).toEqual({
      dtype: 'f32',
      task: 'encoder',
      embeddingSize: 2,
      vocabSize: VOCAB,
      pooling: ['mean'],
    });
    expect(adapter.description).toMatch(/needs no GPU/);
    expect(model.memory()).toEqual({ weights: 0, activations: 0, peak: 0 });
    const long = 'Paris is a city. '.repeat(1000);
    const [whole] = await model.chunk(long);
    expect(whole.end).toBe(long.length);
    await model.dispose();
    await expect(model.embed('a')).rejects.toThrow('disposed');
  });

  it('has the options of embed', async () => {
    const model = await load(
      files({ 'config_sentence_transformers.json': { prompts: { query: 'Paris ' }, truncate_dim: null } }),
    );
    const [plain, query] = [await model.embed('Paris is'), await model.embed('is', { kind: 'query' })];
    expect(plain.row(0)).toEqual(query.row(0));
    expect(Math.hypot(...plain.row(0))).toBeCloseTo(1, 6);
    expect((await model.embed(['is', 'a'], { dimensions: 1 })).data).toEqual(Float32Array.of(1, 1));
    expect((await model.embed('is', { precision: 'int8' })).data).toBeInstanceOf(Int8Array);
    await expect(model.embed('is', { pooling: 'cls' })).rejects.toThrow(
      'a table of tokens, whose pooling is mean, not cls',
    );
    const seen: number[] = [];
    await model.embed(['is', 'a', 'b'], { onProgress: ({ done }) => seen.push(done) });
    expect(seen.at(-1)).toBe(3);
    await expect(model.embed(['is'], { signal: AbortSignal.abort() })).rejects.toThrow();
  });

  it('has the dtype that was asked for, by which the store goes', async () => {
    for (const dtype of ['f16', 'q8'] as const) {
      const model = await load(files(), { dtype });
      expect(model.info.dtype).toBe(dtype);
      expect((await model.embed('a', { normalize: false })).row(0)[0] % 1).toBe(0);
    }
    await expect(load(files(), { dtype: 'q5' as 'q4' })).rejects.toThrow(/dtype must be one of auto.*; it is 'q5'/);
  });

  it('is zeros for a text without tokens', async () => {
    const tokenizer = JSON.parse(TOKENIZER.toString('utf8'));
    tokenizer.normalizer = { type: 'Strip', strip_left: true, strip_right: true };
    const model = await load(files({ 'tokenizer.json': tokenizer }, ['Normalize']));
    expect((await model.tokenize(' ')).ids).toHaveLength(0);
    expect((await model.embed([' ', 'a'])).row(0)).toEqual(new Float32Array(2));
  });

  it('cuts where it is told to', async () => {
    const model = await load(files(), { maxLength: 3 });
    expect(model.info.maxTokens).toBe(3);
    await expect(model.embed('Paris is a city on the river')).rejects.toThrow("the model's limit is 3");
    await model.embed('Paris is a city on the river', { truncate: true });
    await expect(load(files(), { maxLength: 0 })).rejects.toThrow('maxLength must be a positive integer, it is 0.');
  });

  it('other calls say what they need', async () => {
    const model = await load(files());
    await expect(model.forward({ inputIds: Uint32Array.of(1), lengths: Uint32Array.of(1) })).rejects.toThrow(
      new UnsupportedModelError('This call needs a Transformer, and this checkpoint has only a StaticEmbedding.'),
    );
    await expect(model.fillMask('[MASK]')).rejects.toThrow(UnsupportedModelError);
    await expect(model.embedSparse('a')).rejects.toThrow('this one has one vector per text: use embed');
  });

  it('refuses modules that need more, and tables that do not fit', async () => {
    await expect(load(files({}, ['WeightedLayerPooling']))).rejects.toThrow(
      'after a StaticEmbedding there can be Normalize, Dense, LayerNorm',
    );
    const dense = { '1_Dense/config.json': { in_features: 2, out_features: 3 } };
    await expect(load(files(dense, ['Dense']))).rejects.toThrow(/no model\.safetensors in .*1_Dense/);
    const withWeights = files(dense, ['Dense']);
    const weights = { 'linear.weight': f32([3, 2], (i) => i), 'linear.bias': f32([2], () => 0) };
    withWeights.set('1_Dense/model.safetensors', new Blob([weightsOf(weights)]));
    await expect(load(withWeights)).rejects.toThrow('linear.bias has the shape [2]; it must have [3]');
    const small = weightsOf({ 'embedding.weight': f32([20, 2], () => 0) });
    await expect(load(checkpoint('StaticEmbedding', small))).rejects.toThrow(
      /tokenizer.json: token .* below 20 only|embeddings for ids below 20/,
    );
    await expect(load(checkpoint('StaticEmbedding', weightsOf({ other: table() })))).rejects.toThrow(
      'has no table of embeddings: neither embedding.weight nor embeddings',
    );
    await expect(load(checkpoint('StaticEmbedding', undefined))).rejects.toThrow('There is no model.safetensors');
    const infinite = weightsOf({ 'embedding.weight': f32([VOCAB, 1], (i) => (i === 7 ? Infinity : 0)) });
    await expect(load(checkpoint('StaticEmbedding', infinite))).rejects.toThrow(
      "tensor 'embedding.weight' holds a NaN or an infinity at element 7",
    );
    const complex = weightsOf({
      'embedding.weight': { dtype: 'C64', shape: [VOCAB, 1], bytes: new Uint8Array(8 * VOCAB) },
    });
    await expect(load(checkpoint('StaticEmbedding', complex))).rejects.toThrow(
      'embedding.weight is C64; known are F32, F16',
    );
  });

  const short = (values: number[], dtype: string, bytes: ArrayBufferView): Tensor => ({
    dtype,
    shape: [values.length],
    bytes,
  });
  it.each([
    ['BF16', Uint16Array.from({ length: 2 * VOCAB }, (_, i) => (i % 2 === 0 ? 0x4040 : 0xbf80)), [3, -1]],
    ['F16', Uint16Array.from({ length: 2 * VOCAB }, (_, i) => (i % 2 === 0 ? 0x4200 : 0xbc00)), [3, -1]],
    ['I8', Int8Array.from({ length: 2 * VOCAB }, (_, i) => (i % 2 === 0 ? 3 : -1)), [3, -1]],
  ])("model2vec's %s embeddings", async (dtype, bytes, expected) => {
    const weights = weightsOf({ embeddings: { dtype, shape: [VOCAB, 2], bytes } });
    const model = await load(checkpoint('StaticEmbedding', weights));
    expect([...(await model.embed('Paris is', { normalize: false })).row(0)]).toEqual(expected);
  });

  it("model2vec's mapping and weights; a mapping beyond the table is refused", async () => {
    const ids = Array.from({ length: VOCAB }, (_, i) => i);
    const of = (mapping: number[]) =>
      weightsOf({
        embeddings: f32([2, 1], (i) => 10 * (i + 1)),
        mapping: short(mapping, 'I64', BigInt64Array.from(mapping, BigInt)),
        weights: short(
          ids,
          'F64',
          Float64Array.from(ids, (id) => id),
        ),
      });
    const model = await load(checkpoint('StaticEmbedding', of(ids.map((id) => id % 2))));
    const [id] = (await model.tokenize('a')).ids;
    expect([...(await model.embed('a', { normalize: false })).row(0)]).toEqual([id * 10 * ((id % 2) + 1)]);
    await expect(load(checkpoint('StaticEmbedding', of(ids.map(() => 2))))).rejects.toThrow(
      new ModelFileError('model.safetensors: mapping names row 2, but embeddings has rows 0 to 1.'),
    );
  });
});

describe('SparseStaticEmbedding', () => {
  const weights = weightsOf({ weight: f32([VOCAB], (i) => (i % 3) / 2) });

  it('is the weights of the tokens that are there, each once', async () => {
    const model = await load(checkpoint('SparseStaticEmbedding', weights));
    const text = 'Paris is a city, Paris is';
    const ids = [...new Set((await model.tokenize(text)).ids)].filter((id) => id % 3 > 0).sort((a, b) => a - b);
    expect(ids.length).toBeGreaterThan(2);
    const found = await model.embedSparse(text);
    expect([...found.row(0).ids]).toEqual(ids);
    expect([...found.row(0).weights]).toEqual(ids.map((id) => (id % 3) / 2));
    expect([found.size, model.info.embeddingSize, model.info.similarity]).toEqual([VOCAB, VOCAB, 'dot']);
    const [best] = await model.decodeSparse(found.row(0), { topK: 1 });
    expect(best.weight).toBe(1);
    const two = (await model.embedSparse(text, { topK: 2 })).row(0);
    expect([...two.weights].sort()).toEqual(
      [...found.row(0).weights]
        .sort((a, b) => b - a)
        .slice(0, 2)
        .sort(),
    );
    await expect(model.embed('a')).rejects.toThrow('this one is sparse: use embedSparse');
    await expect(model.embedMultiVector('a', { kind: 'query' })).rejects.toThrow('this one is sparse: use embedSparse');
  });

  it('reads a JSON file of weights, which its config.json names', async () => {
    const files = { 'config.json': { frozen: true, path: 'idf.json' }, 'idf.json': { a: 2.5 } };
    const model = await load(checkpoint('SparseStaticEmbedding', undefined, files));
    const { row } = await model.embedSparse('a');
    expect([...row(0).weights]).toEqual([2.5]);
    const wrong = { ...files, 'idf.json': { zyzzyva: 1 } };
    await expect(load(checkpoint('SparseStaticEmbedding', undefined, wrong))).rejects.toThrow(
      'idf.json: the tokenizer has no token "zyzzyva".',
    );
    const away = { ...files, 'config.json': { path: '../idf.json' } };
    await expect(load(checkpoint('SparseStaticEmbedding', undefined, away))).rejects.toThrow('a file of this folder');
  });

  it('refuses modules after it', async () => {
    await expect(load(checkpoint('SparseStaticEmbedding', weights, {}, ['Normalize']))).rejects.toThrow(
      'after a SparseStaticEmbedding there can be no module',
    );
  });
});
