/** The entry with the real @langchain/core: a model of a table of tokens embeds, a stand-in for a cross-encoder reranks. */
import { fileURLToPath } from 'node:url';
import { Document } from '@langchain/core/documents';
import type { EmbeddingsInterface } from '@langchain/core/embeddings';
import { BaseRetriever } from '@langchain/core/retrievers';
import { BaseDocumentCompressor } from '@langchain/core/retrievers/document_compressors';
import { FakeVectorStore } from '@langchain/core/utils/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Model } from './api/types';
import { documentCompressor, embeddings } from './langchain';
import { loadModel, similarity } from './node';
import { callsOn, labelsOf, numbersIn } from './tasks/fixtures';

let model: Model;
beforeAll(async () => {
  model = await loadModel(fileURLToPath(new URL('./reference/fixtures/static-normalize', import.meta.url)));
});
afterAll(() => model.dispose());

const reranker = callsOn('seqcls', labelsOf(['LABEL_0']), numbersIn).calls as Model;
const TEXTS = ['The Seine crosses Paris.', 'Bread is made of flour.', 'A cat.'];
const rowsOf = ({ rows, row }: Awaited<ReturnType<Model['embed']>>) =>
  Array.from({ length: rows }, (_, i) => [...row(i)]);

it('embeds documents and queries, each with its prompt', async () => {
  const own: EmbeddingsInterface = embeddings(model); // compiled by `npm run lint`
  expect(await own.embedDocuments(TEXTS)).toEqual(rowsOf(await model.embed(TEXTS, { kind: 'document' })));
  expect([await own.embedQuery(TEXTS[0])]).toEqual(rowsOf(await model.embed(TEXTS[0], { kind: 'query' })));
  expect(await own.embedQuery(TEXTS[0])).not.toEqual((await own.embedDocuments(TEXTS))[0]);
  expect(await own.embedDocuments([])).toEqual([]);
  const others = embeddings(model, { dimensions: 6, query: { prompt: 'q: ' }, document: { promptName: 'query' } });
  expect([await others.embedQuery('A cat.')]).toEqual(
    rowsOf(await model.embed('A cat.', { prompt: 'q: ', dimensions: 6 })),
  );
  expect(await others.embedDocuments(['A cat.'])).toEqual(
    rowsOf(await model.embed('A cat.', { promptName: 'query', dimensions: 6 })),
  );
});

it('a vector store and its retriever find by it', async () => {
  const documents = TEXTS.map((pageContent, i) => new Document({ pageContent, metadata: { i } }));
  const store = await FakeVectorStore.fromDocuments(documents, embeddings(model));
  const query = 'Which river crosses Paris?';
  const found = await store.asRetriever(2).invoke(query);
  const [scores] = similarity(
    await model.embed(query, { kind: 'query' }),
    await model.embed(TEXTS, { kind: 'document' }),
  );
  const best = [...scores.keys()].sort((a, b) => scores[b] - scores[a]);
  expect(found.map(({ metadata }) => metadata.i)).toEqual(best.slice(0, 2));
});

it('is a document compressor, which a retriever can use', async () => {
  const own: BaseDocumentCompressor = documentCompressor(reranker, { topN: 2 }); // compiled by `npm run lint`
  expect(BaseDocumentCompressor.isBaseDocumentCompressor(own)).toBe(true);
  const documents = ['is 1', 'is 3', 'is 2'].map(
    (pageContent, i) => new Document({ pageContent, metadata: { i }, id: `d${i}` }),
  );
  /** What LangChain's ContextualCompressionRetriever does, which is in a larger package. */
  class Compressed extends BaseRetriever {
    lc_namespace = ['test'];
    override _getRelevantDocuments = (query: string) => own.compressDocuments(documents, query) as Promise<Document[]>;
  }
  const found = await new Compressed().invoke('Which?');
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  expect(found).toEqual([
    new Document({ pageContent: 'is 3', metadata: { i: 1, relevanceScore: sigmoid(3) }, id: 'd1' }),
    new Document({ pageContent: 'is 2', metadata: { i: 2, relevanceScore: sigmoid(2) }, id: 'd2' }),
  ]);
  expect(found[0]).toBeInstanceOf(Document);
  expect(documents[1].metadata).toEqual({ i: 1 });
  expect(await own.compressDocuments([], 'Which?')).toEqual([]);
});

it('cuts what is too long only where asked', async () => {
  const documents = [{ pageContent: `2 ${'The harbour was closed. '.repeat(60)}`, metadata: {} }];
  await expect(documentCompressor(reranker).compressDocuments(documents, 'Which?')).rejects.toThrow('Document 0 has');
  const [found] = await documentCompressor(reranker, { truncate: true }).compressDocuments(documents, 'Which?');
  expect(found.metadata).toHaveProperty('relevanceScore');
});

it('says what is wrong with options', () => {
  expect(() => embeddings(model, { dimension: 4 } as never)).toThrow("embeddings has no option 'dimension'.");
  expect(() => embeddings(model, { query: { name: 'a' } } as never)).toThrow("query has no option 'name'.");
  expect(() => documentCompressor(reranker, { topK: 4 } as never)).toThrow("documentCompressor has no option 'topK'.");
});
