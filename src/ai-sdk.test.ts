/** The entry with the real `ai`: a model of a table of tokens embeds, a stand-in for a cross-encoder reranks. */
import { fileURLToPath } from 'node:url';
import type { EmbeddingModelV3, EmbeddingModelV4, RerankingModelV3, RerankingModelV4 } from '@ai-sdk/provider';
import { cosineSimilarity, embed, embedMany, rerank } from 'ai';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { embeddingModel, rerankingModel } from './ai-sdk';
import type { Model } from './api/types';
import { loadModel } from './node';
import { callsOn, labelsOf, numbersIn } from './tasks/fixtures';

let model: Model;
beforeAll(async () => {
  model = await loadModel(fileURLToPath(new URL('./reference/fixtures/static-normalize', import.meta.url)));
  vi.stubGlobal('AI_SDK_LOG_WARNINGS', false);
});
afterAll(async () => {
  vi.unstubAllGlobals();
  await model.dispose();
});

const { calls, submitted } = callsOn('seqcls', labelsOf(['LABEL_0']), numbersIn);
const reranker = { ...calls, info: { task: 'seqcls', config: { model_type: 'modernbert' } } } as unknown as Model;

const TEXTS = ['The Seine crosses Paris.', 'Bread is made of flour.', 'A cat.'];
const options = (own: object) => ({ 'modernbert-webgpu': own }) as Record<string, Record<string, string>>;
const rowsOf = ({ rows, row }: Awaited<ReturnType<Model['embed']>>) =>
  Array.from({ length: rows }, (_, i) => [...row(i)]);

it('is what the types of the SDK ask for', () => {
  // Compiled by `npm run lint`.
  const newest: [EmbeddingModelV4, RerankingModelV4] = [embeddingModel(model), rerankingModel(reranker)];
  const older: [EmbeddingModelV3, RerankingModelV3] = [
    embeddingModel(model, { specificationVersion: 'v3' }),
    rerankingModel(reranker, { specificationVersion: 'v3' }),
  ];
  expect(newest.map(({ specificationVersion }) => specificationVersion)).toEqual(['v4', 'v4']);
  expect(older.map(({ specificationVersion }) => specificationVersion)).toEqual(['v3', 'v3']);
  expect(newest.map(({ provider, modelId }) => [provider, modelId])).toEqual([
    ['modernbert-webgpu', 'encoder'],
    ['modernbert-webgpu', 'modernbert'],
  ]);
  expect(embeddingModel(model, { modelId: 'table' }).modelId).toBe('table');
});

it.each(['v4', 'v3'] as const)('embeds, as %s', async (specificationVersion) => {
  const query = embeddingModel(model, { kind: 'query', specificationVersion });
  const documents = embeddingModel(model, { kind: 'document', specificationVersion });
  const many = await embedMany({ model: documents, values: TEXTS });
  expect(many.embeddings).toEqual(rowsOf(await model.embed(TEXTS, { kind: 'document' })));
  const lengths = await Promise.all(TEXTS.map(async (text) => (await model.tokenize(text)).ids.length));
  expect(many.usage).toEqual({ tokens: lengths.reduce((a, b) => a + b, 0) });
  expect(many.warnings).toEqual([]);
  const one = await embed({ model: query, value: TEXTS[0] });
  expect([one.embedding]).toEqual(rowsOf(await model.embed(TEXTS[0], { kind: 'query' })));
  expect(one.embedding).not.toEqual(many.embeddings[0]);
  expect(one.usage.tokens).toBe((await model.tokenize(`${model.info.prompts.query}${TEXTS[0]}`)).ids.length);
  expect(cosineSimilarity(one.embedding, many.embeddings[0])).toBeGreaterThan(
    cosineSimilarity(one.embedding, many.embeddings[1]),
  );
  expect(await documents.doEmbed({ values: [] })).toEqual({ embeddings: [], usage: { tokens: 0 }, warnings: [] });
});

it('takes dimensions from the call, or by providerOptions', async () => {
  const own = embeddingModel(model, { dimensions: 8 });
  const dimOf = async (call: object) => (await embed({ model: own, value: 'A cat.', ...call })).embedding.length;
  expect(await dimOf({})).toBe(8);
  expect(await dimOf({ providerOptions: options({ dimensions: 4 }) })).toBe(4);
  expect(await dimOf({ providerOptions: options({ dimensions: 4 }), dimensions: 2 })).toBe(2);
  const { embedding } = await embed({ model: own, value: 'A cat.', providerOptions: options({ kind: 'query' }) });
  expect([embedding]).toEqual(rowsOf(await model.embed('A cat.', { kind: 'query', dimensions: 8 })));
});

it.each(['v4', 'v3'] as const)('reranks texts and objects, as %s', async (specificationVersion) => {
  const own = rerankingModel(reranker, { specificationVersion });
  const texts = await rerank({ model: own, query: 'Which?', documents: ['is 1', 'is 3', 'is 2'], topN: 2 });
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  expect(texts.ranking).toEqual([
    { originalIndex: 1, score: sigmoid(3), document: 'is 3' },
    { originalIndex: 2, score: sigmoid(2), document: 'is 2' },
  ]);
  const objects = await rerank({ model: own, query: 'Which?', documents: [{ is: -1 }, { is: 4 }] });
  expect(objects.rerankedDocuments).toEqual([{ is: 4 }, { is: -1 }]);
  const { warnings } = await own.doRerank({ query: 'Which?', documents: { type: 'object', values: [{ is: 4 }] } });
  expect(warnings).toEqual([
    { type: 'compatibility', feature: 'object documents', details: 'The model reads them as JSON.' },
  ]);
});

it('cuts what is too long only where asked', async () => {
  const long = 'The harbour was closed. '.repeat(60);
  const ask = (own: object, call = {}) =>
    rerank({ model: rerankingModel(reranker, own), query: 'Which?', documents: [`2 ${long}`], ...call });
  await expect(ask({})).rejects.toThrow("Document 0 has 307 tokens, the model's limit is 128.");
  await ask({ truncate: true });
  expect(submitted.at(-1)?.ids.length).toBe(128);
  await ask({}, { providerOptions: options({ maxTokens: 20 as never }) });
  expect(submitted.at(-1)?.ids.length).toBe(20);
});

it('ends with the signal', async () => {
  const reason = new Error('enough');
  const abortSignal = AbortSignal.abort(reason);
  await expect(embedMany({ model: embeddingModel(model), values: TEXTS, abortSignal })).rejects.toBe(reason);
  const call = { model: rerankingModel(reranker), query: 'Which?', documents: ['is 1'], abortSignal };
  await expect(rerank(call)).rejects.toBe(reason);
});

it('says what is wrong with options', async () => {
  expect(() => embeddingModel(model, { kinds: 'query' } as never)).toThrow(
    "embeddingModel has no option 'kinds'. Did you mean 'kind'?",
  );
  expect(() => rerankingModel(reranker, { specificationVersion: 'v2' as 'v3' })).toThrow(
    "specificationVersion must be one of v3, v4; it is 'v2'.",
  );
  const wrong = { model: embeddingModel(model), value: 'a', providerOptions: options({ dimension: 4 }) };
  await expect(embed(wrong)).rejects.toThrow(
    "providerOptions['modernbert-webgpu'] has no option 'dimension'. Did you mean 'dimensions'?",
  );
});
