import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SparseEmbeddings } from '../api/embeddings';
import type { Model } from '../api/types';
import { parseHeader } from '../formats/safetensors';
import { sparseRow, spladePool } from '../kernels/twins';
import { sparseSimilarity } from '../node';
import { loadTestModel, withModel } from '../session/fixtures';
import { nanoTokenizer, plainLogits, tinyModel } from './fixtures';

/** A random masked language model as a SPLADE checkpoint. */
function splade(pooling: object, config: object = {}): string {
  const folder = tinyModel('mlm', { ...config });
  mkdirSync(join(folder, '1_SpladePooling'));
  writeFileSync(
    join(folder, 'modules.json'),
    JSON.stringify([
      { path: '', type: 'sentence_transformers.base.modules.transformer.Transformer' },
      { path: '1_SpladePooling', type: 'sentence_transformers.sparse_encoder.modules.splade_pooling.SpladePooling' },
    ]),
  );
  writeFileSync(join(folder, '1_SpladePooling/config.json'), JSON.stringify(pooling));
  return folder;
}

/** What the plain model makes of a text. */
function expectedOf(folder: string, text: string, pooling: 'max' | 'sum', topK = Infinity) {
  const { ids } = nanoTokenizer().encode(text);
  const logits = plainLogits(folder, 'mlm', [ids]).map((row) => Float64Array.from(row));
  const [weights] = spladePool(logits, Uint32Array.of(0, ids.length), pooling, false);
  return { weights, ...sparseRow(weights, topK) };
}

function expectRow(found: SparseEmbeddings, i: number, weights: Float64Array, tolerance: number): void {
  const dense = new Float64Array(weights.length);
  const { ids, weights: own } = found.row(i);
  for (const [e, id] of ids.entries()) dense[id] = own[e];
  const worst = weights.reduce((most, weight, id) => Math.max(most, Math.abs(weight - dense[id])), 0);
  expect(worst, `row ${i}`).toBeLessThan(tolerance);
}

const words = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `word${(from + i) % 97}`).join(' ');

describe('embedSparse', () => {
  const short = splade({ pooling_strategy: 'max' });
  let model: Model;
  beforeAll(async () => {
    model = await loadTestModel(short, { dtype: 'f32', arithmetic: 'f32' });
  });
  afterAll(() => model?.dispose());

  it('has the weights of the whole vocabulary, also of texts with more than it first has room for', async () => {
    const texts = ['Paris', 'The capital of France is Paris.'];
    const found = await model.embedSparse(texts);
    expect([found.rows, found.size, model.info.embeddingSize, model.info.similarity]).toEqual([2, 16384, 16384, 'dot']);
    for (const [i, text] of texts.entries()) {
      const { weights, nonzero } = expectedOf(short, text, 'max');
      expect(nonzero).toBeGreaterThan(1024);
      expectRow(found, i, weights, 1e-5);
      expect(found.row(i).ids).toHaveLength(nonzero);
    }
  });

  it('keeps the largest topK', async () => {
    const found = await model.embedSparse('The capital of France is Paris.', { topK: 37 });
    const { entries } = expectedOf(short, 'The capital of France is Paris.', 'max', 37);
    expect([...found.row(0).ids]).toEqual(entries.map(([id]) => id));
    await expect(model.embedSparse('a', { topK: 0 })).rejects.toThrow(
      new RangeError('topK must be a positive integer, it is 0.'),
    );
  });

  it('is the same for a text alone and among 400, which take several chunks', async () => {
    const texts = Array.from({ length: 400 }, (_, i) => words(1 + (i % 29), i));
    const found = await model.embedSparse(texts, { topK: 50 });
    for (const i of [0, 151, 399]) {
      const alone = await model.embedSparse(texts[i], { topK: 50 });
      expect(found.row(i).ids).toEqual(alone.row(0).ids);
    }
    const { weights } = expectedOf(short, texts[399], 'max');
    for (const [e, id] of found.row(399).ids.entries()) {
      expect(Math.abs(found.row(399).weights[e] - weights[id])).toBeLessThan(1e-5);
    }
  });

  it('decodeSparse: tokens by weight', async () => {
    const row = (await model.embedSparse('Paris', { topK: 20 })).row(0);
    const tokens = await model.decodeSparse(row, { topK: 3 });
    const best = expectedOf(short, 'Paris', 'max', 3).entries.sort((a, b) => b[1] - a[1]);
    expect(tokens.map(({ tokenId }) => tokenId)).toEqual(best.map(([id]) => id));
    expect(tokens.map(({ token }) => token)).toEqual(best.map(([id]) => nanoTokenizer().decodeToken(id)));
    await expect(model.decodeSparse({ ids: row.ids } as never)).rejects.toThrow(TypeError);
  });

  it('names the right call', async () => {
    await expect(model.embed('a')).rejects.toThrow('this one is sparse: use embedSparse');
    await withModel(tinyModel('encoder'), { dtype: 'f32' }, (plain) =>
      expect(plain.embedSparse('a')).rejects.toThrow(
        'embedSparse needs a sparse (SPLADE) checkpoint; this one has one vector per text: use embed.',
      ),
    );
  });

  it('a weight that overflows is an error that names the text', async () => {
    const folder = splade({});
    const path = join(folder, 'model.safetensors');
    const bytes = readFileSync(path);
    const start = 8 + Number(bytes.readBigUInt64LE(0));
    const { begin } = parseHeader(bytes.subarray(8, start), path).find(({ name }) => name === 'decoder.bias')!;
    bytes.writeFloatLE(3.3e38, start + begin + 4 * 9000);
    writeFileSync(path, bytes);
    await withModel(folder, { dtype: 'f32', arithmetic: 'f32' }, async (broken) => {
      await expect(broken.embedSparse(['Paris'], { topK: 2 })).rejects.toThrow(
        /^Text 0 has no answer: number \d of its result is (Infinity|3.*e.38)/,
      );
    });
  });

  it.each([
    ['f16', 0.9999],
    ['q8', 0.995],
  ] as const)('with %s weights', async (dtype, least) => {
    const texts = ['The capital of France is Paris.', words(30)];
    const exact = { ...(await model.embedSparse(texts)), embeddingSpace: undefined };
    await withModel(short, { dtype }, async (smaller) => {
      const found = await smaller.embedSparse(texts);
      for (const i of [0, 1]) expect(sparseSimilarity(exact, found, 'cosine')[i][i]).toBeGreaterThan(least);
    });
  });

  it('texts of 1000 tokens, in blocks of the vocabulary: memory does not grow with tokens times vocabulary', async () => {
    const long = splade({ pooling_strategy: 'sum' }, { max_position_embeddings: 8192 });
    await withModel(long, { dtype: 'f32', arithmetic: 'f32' }, async (patient) => {
      const text = words(545);
      const { weights } = expectedOf(long, text, 'sum');
      const found = await patient.embedSparse([text, 'Paris', text]);
      for (const i of [0, 2]) expectRow(found, i, weights, 2e-3); // sums of 1000
      const { ids } = nanoTokenizer().encode(text);
      expect(ids.length).toBeGreaterThan(1050);
      expect(patient.memory().activations).toBeLessThan(ids.length * 16384 * 4);
    });
  });
});
