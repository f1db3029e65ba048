/** Every call by transformers.js on ONNX Runtime (CPU) beside the same call on a GPU, with the same checkpoint in f32. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Embeddings } from '../api/embeddings';
import type { Model } from '../api/types';
import { loadModel } from '../fallback';
import { safetensorsBytes } from '../formats/fixtures';
import { testGpu } from '../gpu/fixtures';
import { minCosine } from '../model/fixtures/golden';
import { loadTestModel } from '../session/fixtures';
import { hub, type Repository, useHub } from './test-hub';

const label2id = (labels: string[]) => Object.fromEntries(labels.map((label, i) => [label, i]));
const TYPES = 'sentence_transformers.models';
const modules = (...kinds: string[]) => [
  { path: '', type: `${TYPES}.Transformer` },
  ...kinds.map((kind, i) => ({ path: `${i + 1}_${kind}`, type: `${TYPES}.${kind}` })),
];

/** A file of tensors with numbers of no pattern. */
function tensors(shapes: Record<string, number[]>): Uint8Array {
  let at = 0;
  const header = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const begin = at;
      at += 4 * shape.reduce((a, b) => a * b);
      return [name, { dtype: 'F32', shape, data_offsets: [begin, at] }];
    }),
  );
  const numbers = Float32Array.from({ length: at / 4 }, (_, i) => Math.sin(1 + i * i) / 8);
  return safetensorsBytes(header, new Uint8Array(numbers.buffer));
}

const REPOSITORIES: Record<string, Repository> = {
  'org/embed': {
    of: 'nano-embed',
    files: {
      'config_sentence_transformers.json': { prompts: { query: 'search_query: ', passage: 'search_document: ' } },
    },
  },
  'org/modules': {
    of: 'nano-embed',
    files: {
      'modules.json': modules('Pooling', 'Dense', 'LayerNorm', 'Normalize'),
      '1_Pooling/config.json': { pooling_mode: ['weightedmean', 'max'], include_prompt: false },
      '2_Dense/config.json': {
        in_features: 512,
        out_features: 96,
        activation_function: 'torch.nn.modules.activation.Tanh',
      },
      '2_Dense/model.safetensors': tensors({ 'linear.weight': [96, 512], 'linear.bias': [96] }),
      '3_LayerNorm/config.json': { dimension: 96 },
      '3_LayerNorm/model.safetensors': tensors({ 'norm.weight': [96], 'norm.bias': [96] }),
    },
  },
  'org/nano': { of: 'nano' },
  'org/bert-mlm': { of: 'bert-mlm' },
  'org/pairs': { of: 'bert-classifier' },
  'org/labels': { of: 'classify-multi-label' },
  'org/nli': { of: 'cross-encoder-nli', change: { label2id: label2id(['contradiction', 'entailment', 'neutral']) } },
  'org/reranker': { of: 'cross-encoder' },
  'org/tokens': { of: 'token-classifier' },
  'org/answers': { of: 'bert-answers' },
};
useHub(REPOSITORIES);

const options = { dtype: 'f32', arithmetic: 'f32' } as const;
const byOnnx = { fallback: 'transformers.js', force: true } as const;

interface Both {
  gpu: Model;
  onnx: Model;
}

/** A repository's model in both ways, for the tests of one block. */
function useBoth(id: string): Both {
  const both = {} as Both;
  beforeAll(async () => {
    both.gpu = await loadTestModel(id, { ...options, hubUrl: hub.url, cache: 'none' });
    both.onnx = await loadModel(id, { ...options, ...byOnnx, hubUrl: hub.url });
  });
  afterAll(async () => {
    await both.gpu?.dispose();
    await both.onnx?.dispose();
  });
  return both;
}

/** The same keys, texts and lists, and numbers that differ by at most 1e-4. */
function expectNear(got: unknown, want: unknown, where = 'the result'): void {
  if (typeof want === 'number') {
    expect(Math.abs((got as number) - want), `${where}: ${got} and ${want}`).toBeLessThanOrEqual(1e-4);
  } else if (typeof want === 'object' && want !== null) {
    expect(Array.isArray(got), where).toBe(Array.isArray(want));
    expect(Object.keys(got as object), where).toEqual(Object.keys(want));
    for (const [key, value] of Object.entries(want)) {
      expectNear((got as Record<string, unknown>)[key], value, `${where}.${key}`);
    }
  } else if (typeof want !== 'function') expect(got, where).toBe(want);
}

const expectSame = async ({ gpu, onnx }: Both, call: (model: Model) => Promise<unknown>) =>
  expectNear(await call(onnx), await call(gpu));

/** Both reject, for the same reason. */
async function expectSameError({ gpu, onnx }: Both, call: (model: Model) => Promise<unknown>, message: RegExp) {
  const [own, other] = (await Promise.all([gpu, onnx].map((model) => call(model).catch((error) => error)))) as Error[];
  expect(own.message).toMatch(message);
  expect([other.name, other.message]).toEqual([own.name, own.message]);
}

const TEXTS = [
  'The harbour was closed because of the storm.',
  'A cat.',
  'What is the difference between a window and a global layer, and which of them sees the whole text at once?',
  'x',
];
const LONG = Array.from({ length: 60 }, (_, i) => `${TEXTS[0]} ${i}`).join(' ');

describe('embed', () => {
  const both = useBoth('org/embed');
  const cosine = async (call: (model: Model) => Promise<Embeddings>) => {
    const [got, want] = [await call(both.onnx), await call(both.gpu)];
    expect([got.rows, got.dim, got.embeddingSpace]).toEqual([want.rows, want.dim, want.embeddingSpace]);
    return minCosine(got.data, want.data, want.dim);
  };

  it('texts of all lengths, in their order, in the space of the GPU', async () => {
    expect(await cosine((model) => model.embed([...TEXTS, LONG, ...TEXTS]))).toBeGreaterThan(0.99999);
    expect(await cosine((model) => model.embed(TEXTS[2]))).toBeGreaterThan(0.99999);
  });

  it.each([
    { kind: 'query' },
    { kind: 'document' },
    { promptName: 'passage', dimensions: 64 },
    { prompt: 'clustering: ', normalize: false },
    ...(['cls', 'max', 'mean', 'mean_sqrt_len_tokens', 'weightedmean', 'lasttoken'] as const).map((pooling) => ({
      pooling,
    })),
    { pooling: ['mean', 'cls'] },
  ] as const)('%j', async (how) => {
    expect(await cosine((model) => model.embed(TEXTS, how as object))).toBeGreaterThan(0.99999);
    await expectSame(both, (model) => model.embed(TEXTS[0], how as object));
  });

  it('parts of a text, token ids, int8 and binary', async () => {
    await expectSame(both, (model) =>
      model.embed(TEXTS[0], {
        chunks: [
          { start: 0, end: 11 },
          { start: 11, end: 40 },
        ],
      }),
    );
    const { ids } = await both.gpu.tokenize(TEXTS[1]);
    await expectSame(both, (model) => model.embed([{ ids }]));
    const [got, want] = [
      await both.onnx.embed(TEXTS, { precision: 'int8' }),
      await both.gpu.embed(TEXTS, { precision: 'int8' }),
    ];
    expect(got.data.every((x, i) => Math.abs(x - want.data[i]) <= 1)).toBe(true);
    const bits = await both.onnx.embed(TEXTS, { precision: 'binary' });
    expect([bits.data.length, bits.data.constructor]).toEqual([4 * 32, Uint8Array]);
  });

  it('no texts, and wrong ones', async () => {
    await expectSame(both, (model) => model.embed([]));
    await expectSameError(both, (model) => model.embed(''), /is empty/);
    await expectSameError(both, (model) => model.embed(['a', 1 as unknown as string]), /Text 1 must be a string/);
    await expectSameError(both, (model) => model.embed('a', { kind: 'passage' as 'query' }), /kind must be one of/);
    await expectSameError(both, (model) => model.embed('a', { dimensions: 257 }), /dimensions must be/);
    await expectSameError(both, (model) => model.embed('a', { normalise: true } as object), /no option 'normalise'/);
    await expectSameError(both, (model) => model.classify('a'), /classify needs a sequence classifier/);
  });

  it('tokenizes and chunks alike', async () => {
    await expectSame(both, (model) => model.tokenize(TEXTS[2]));
    await expectSame(both, (model) => model.chunk(LONG, { maxTokens: 64, overlap: 8 }));
  });

  it('says what it is', () => {
    const { adapter, fallback, cache, ...own } = both.onnx.info;
    expect(fallback).toBe('transformers.js');
    expect(adapter).toEqual({ vendor: '', architecture: '', device: '', description: 'transformers.js (CPU)' });
    expect(cache.state).toBe('off');
    const { adapter: _, cache: __, profile, maxTokensPerPass, ...other } = both.gpu.info;
    expect(own).toEqual({ ...other, profile: 'software', maxTokensPerPass: 8192 });
    expect(both.onnx.memory()).toEqual({ weights: 0, activations: 0, peak: 0 });
  });

  it('other calls need WebGPU, or a checkpoint for them', async () => {
    const batch = { inputIds: Uint32Array.of(16377, 5, 16378), lengths: Uint32Array.of(3) };
    for (const outputs of [['last_hidden_state'], ['hidden_states']] as const) {
      const found = both.onnx.forward(batch, { outputs: [...outputs] });
      await expect(found).rejects.toMatchObject({ name: 'WebGPUUnavailableError', message: /^This call needs WebGPU/ });
    }
    await expectSameError(both, (model) => model.embedMultiVector('a', { kind: 'query' }), /embedMultiVector needs/);
    await expect(both.onnx.setAdapter('a')).rejects.toThrow(/no adapters to choose from/);
  });

  it('is warmed, and has nothing to release', async () => {
    await both.onnx.warm();
    await both.onnx.release();
    expect(await cosine((model) => model.embed('after'))).toBeGreaterThan(0.99999);
  });

  it('reports progress, shares passes between calls, and stops at an abort', async () => {
    const seen: string[] = [];
    const [all, one] = await Promise.all([
      both.onnx.embed([...TEXTS, LONG], { onProgress: ({ done, total }) => seen.push(`${done}/${total}`) }),
      both.onnx.embed('A cat.'),
    ]);
    expect(seen.at(-1)).toBe('5/5');
    expect(minCosine(one.data, all.row(1), all.dim)).toBeGreaterThan(0.99999);
    const end = new AbortController();
    const stopped = both.onnx.embed(Array(50).fill(LONG), {
      signal: end.signal,
      onProgress: () => end.abort(new Error('enough')),
    });
    await expect(stopped).rejects.toThrow('enough');
    expect(await cosine((model) => model.embed('after'))).toBeGreaterThan(0.99999);
  });
});

describe('modules after the Transformer', () => {
  const both = useBoth('org/modules');

  it('several poolings, Dense, LayerNorm and Normalize; prompts that are not pooled', async () => {
    for (const how of [{}, { prompt: 'search_query: ' }, { dimensions: 32 }]) {
      await expectSame(both, (model) => model.embed(TEXTS, how));
    }
  });
});

describe.each(['org/nano', 'org/bert-mlm'])('fillMask of %s', (id) => {
  const both = useBoth(id);

  it('the same five tokens, of every mask', async () => {
    const mask = both.gpu.info.maskToken;
    const texts = [
      `The capital of France is ${mask}.`,
      `${mask} and ${mask}`,
      `A much longer text, which ends in a ${mask}`,
    ];
    await expectSame(both, (model) => model.fillMask(texts));
    await expectSame(both, (model) => model.fillMask(texts[0], { topK: 20, sequences: true }));
    const { candidates } = (await both.gpu.fillMask(texts[0], { topK: 50 }))[0];
    const targets = candidates.map(({ token }) => token.trim()).filter((token) => /^[a-z]{2,}$/i.test(token));
    const known = await Promise.all(targets.map((target) => both.gpu.tokenize(target)));
    const whole = targets.filter((_, t) => known[t].offsets.filter(([start, end]) => end > start).length === 1);
    if (id === 'org/nano') await expectSame(both, (model) => model.fillMask(texts, { targets: whole.slice(0, 3) }));
    await expectSameError(both, (model) => model.fillMask('no mask'), /nothing to fill/);
  });

  it('embeddings need another ONNX file', async () => {
    const rejects = { name: 'WebGPUUnavailableError', message: /returns logits, of which no embeddings/ };
    await expect(both.onnx.embed('a')).rejects.toMatchObject(rejects);
    await both.onnx.warm(); // without them
  });
});

describe('classify', () => {
  const pairs = useBoth('org/pairs');
  const labels = useBoth('org/labels');

  it('texts and pairs, with the types of their tokens', async () => {
    const list = [{ text: TEXTS[0], pair: TEXTS[1] }, TEXTS[1], { text: 'x', pair: TEXTS[2] }];
    for (const how of [{}, { topK: 1 }, { raw: true }, { multiLabel: true }]) {
      await expectSame(pairs, (model) => model.classify(list, how));
    }
    await expectSame(pairs, (model) => model.classify(TEXTS[0]));
    await expectSame(pairs, (model) => model.classify([]));
    expect(await pairs.onnx.classify(list[0], { raw: true })).not.toEqual(
      await pairs.onnx.classify(TEXTS[0], { raw: true }),
    );
  });

  it('several labels', () => expectSame(labels, (model) => model.classify(TEXTS)));

  it('texts that are too long', async () => {
    await expectSameError(
      pairs,
      (model) => model.classify([TEXTS[0], LONG]),
      /^Text 1 has \d+ tokens, the model's limit is 128/,
    );
    await expectSame(pairs, (model) => model.classify([TEXTS[0], LONG], { truncate: true }));
  });
});

describe('zeroShot', () => {
  const both = useBoth('org/nli');
  it('labels of the caller', async () => {
    for (const multiLabel of [false, true]) {
      await expectSame(both, (model) => model.zeroShot(TEXTS, ['weather', 'animals'], { multiLabel }));
    }
  });
});

describe('rerank', () => {
  const both = useBoth('org/reranker');
  it('documents, best first', async () => {
    await expectSame(both, (model) => model.rerank(TEXTS[2], TEXTS, { returnDocuments: true }));
    await expectSame(both, (model) => model.rerank('storm', [LONG, ...TEXTS], { raw: true, maxTokens: 40, topK: 3 }));
  });
});

describe('classifyTokens', () => {
  const both = useBoth('org/tokens');
  it('tokens, words and entities', async () => {
    for (const aggregation of ['none', 'simple', 'first', 'average'] as const) {
      await expectSame(both, (model) => model.classifyTokens(TEXTS, { aggregation, ignoreLabels: [] }));
    }
    await expectSame(both, (model) => model.classifyTokens({ words: ['A', 'cat', '.'] }));
  });
});

describe('answer', () => {
  const both = useBoth('org/answers');
  it('parts of a context, also of one in windows', async () => {
    await expectSame(both, (model) => model.answer('Why?', TEXTS[0], { topK: 3, handleImpossible: true }));
    await expectSame(both, (model) => model.answer('Why?', LONG, { maxTokens: 64, docStride: 16 }));
  });
});

describe('which of the two', () => {
  it('the GPU if there is one', async () => {
    const model = await loadModel('org/embed', {
      ...options,
      fallback: 'transformers.js',
      hubUrl: hub.url,
      worker: false,
      cache: 'none',
      gpu: testGpu(),
      autotune: false,
      selfCheck: false,
    });
    expect([model.info.fallback, model.info.adapter.description]).not.toContain('transformers.js');
    expect((await model.embed('a')).rows).toBe(1);
    await model.dispose();
  });
});
