/** OpenAI's routes, and the rerank route that Jina, Cohere and vLLM have beside them. */
import type { Embeddings } from 'modernbert-webgpu/node';
import { checkList, fieldsOf, inputsOf, promptOf, textOf, wrong } from './fields';
import { modelFor } from './models';
import { compute, json, listPieces, type Reply, type Route, type RouteRequest, vectorText } from './route';

type Writer = (row: Float32Array) => string;
const FORMATS: ReadonlyMap<string, Writer> = new Map<string, Writer>([
  ['float', vectorText],
  ['base64', (row) => `"${Buffer.from(row.buffer, row.byteOffset, row.byteLength).toString('base64')}"`],
]);

const EMBEDDING_FIELDS = [
  'input',
  'model',
  'encoding_format',
  'dimensions',
  'user', // an id of the end user, for OpenAI to find abuse
  'input_type',
  'prompt_name',
];

async function embeddings(request: RouteRequest): Promise<Reply> {
  const fields = fieldsOf(request.body, EMBEDDING_FIELDS);
  const { inputs, isSingle } = inputsOf(fields.value('input'), 'input', request.limits.batchSize);
  const write = fields.choice('encoding_format', FORMATS) ?? vectorText;
  const dimensions = fields.count('dimensions');
  const prompt = promptOf(fields, inputs);
  fields.text('user');
  const { id, model } = modelFor(request.models, fields.text('model'), 'embed');
  const { row, rows }: Embeddings = await compute(request, { texts: inputs.length, isSingle }, (options) =>
    model.embed(inputs, { ...options, ...prompt, dimensions }),
  );
  const { tokens } = request.use;
  const end = JSON.stringify({ model: id, usage: { prompt_tokens: tokens, total_tokens: tokens } });
  const item = (i: number) => `{"object":"embedding","index":${i},"embedding":${write(row(i))}}`;
  return {
    pieces: listPieces('{"object":"list","data":[', Array(rows).keys(), item, `],${end.slice(1)}`),
  };
}

function models({ models: served }: RouteRequest): Reply {
  const data = served.map(({ id, loaded }) => ({
    id,
    object: 'model',
    created: loaded,
    owned_by: 'modernbert-webgpu',
  }));
  return json({ object: 'list', data });
}

const RERANK_FIELDS = ['model', 'query', 'documents', 'top_n', 'return_documents'];

async function rerank(request: RouteRequest): Promise<Reply> {
  const fields = fieldsOf(request.body, RERANK_FIELDS);
  const query = textOf(fields.value('query'), 'query');
  const documents = documentsOf(fields.value('documents'), request.limits.batchSize);
  const topK = fields.count('top_n');
  const isReturned = fields.flag('return_documents');
  const { id, model } = modelFor(request.models, fields.text('model'), 'rerank');
  const ranked = await compute(request, { texts: documents.length }, (options) =>
    model.rerank(query, documents, { ...options, topK, raw: false }),
  );
  const results = ranked.map(({ index, score }) => ({
    index,
    relevance_score: score,
    ...(isReturned && { document: { text: documents[index] } }),
  }));
  const { tokens } = request.use;
  return json({ object: 'list', model: id, results, usage: { prompt_tokens: tokens, total_tokens: tokens } });
}

/** Strings, or objects with a `text`. */
function documentsOf(value: unknown, most: number): string[] {
  checkList(value, 'documents', most, 'a list of strings or { text }');
  return value.map((entry: unknown, i) => {
    const name = `documents[${i}]`;
    if (typeof entry !== 'object') return textOf(entry, name, 'a string or { text }');
    if (entry === null || !('text' in entry)) throw wrong(name, 'a string or { text }', entry);
    return textOf(entry.text, `${name}.text`);
  });
}

export const OPENAI_ROUTES: Record<string, Route> = {
  '/v1/embeddings': { method: 'POST', api: 'openai', run: embeddings },
  '/v1/models': { method: 'GET', api: 'openai', run: models },
  '/v1/rerank': { method: 'POST', api: 'openai', run: rerank },
};
