/** The routes of Hugging Face's text-embeddings-inference (docs/openapi.json there, 1.8). Each also takes `model`, as there may be several here. */
import type { LabelScore, TextPair } from 'modernbert-webgpu/node';
import { version } from '../package.json';
import { RequestError } from './errors';
import { checkList, type Fields, fieldsOf, inputsOf, promptOf, textOf, textsOf, wrong } from './fields';
import { modelFor, type ServedModel } from './models';
import { compute, json, listPieces, type Reply, type Route, type RouteRequest, vectorText } from './route';

const EMBED_FIELDS = ['inputs', 'prompt_name', 'input_type', 'truncate', 'truncation_direction', 'model'];

const DIRECTIONS: ReadonlyMap<string, 'right'> = new Map([
  ['right', 'right'],
  ['Right', 'right'],
]);

/** Texts are cut at their ends only. */
function truncateOf(fields: Fields): boolean | undefined {
  fields.choice('truncation_direction', DIRECTIONS);
  return fields.flag('truncate');
}

async function embed(request: RouteRequest): Promise<Reply> {
  const fields = fieldsOf(request.body, [...EMBED_FIELDS, 'normalize', 'dimensions']);
  const { inputs, isSingle } = inputsOf(fields.value('inputs'), 'inputs', request.limits.batchSize);
  const normalize = fields.flag('normalize');
  const dimensions = fields.count('dimensions');
  const prompt = promptOf(fields, inputs);
  const truncate = truncateOf(fields);
  const { model } = modelFor(request.models, fields.text('model'), 'embed');
  const { row, rows } = await compute(request, { texts: inputs.length, isSingle, truncate }, (options) =>
    model.embed(inputs, { ...options, ...prompt, dimensions, ...(normalize !== undefined && { normalize }) }),
  );
  return { pieces: listPieces('[', Array(rows).keys(), (i) => vectorText(row(i)), ']') };
}

async function embedSparse(request: RouteRequest): Promise<Reply> {
  const fields = fieldsOf(request.body, EMBED_FIELDS);
  const { inputs, isSingle } = inputsOf(fields.value('inputs'), 'inputs', request.limits.batchSize);
  const texts = inputs.map((input) => {
    if (typeof input === 'string') return input;
    throw new RequestError('field', '`inputs` must be texts here: token ids are for /embed.', 'inputs');
  });
  const prompt = promptOf(fields, inputs);
  const truncate = truncateOf(fields);
  const { model } = modelFor(request.models, fields.text('model'), 'embedSparse');
  const { row, rows } = await compute(request, { texts: texts.length, isSingle, truncate }, (options) =>
    model.embedSparse(texts, { ...options, ...prompt }),
  );
  const write = (i: number) => {
    const { ids, weights } = row(i);
    return JSON.stringify(Array.from(ids, (index, at) => ({ index, value: weights[at] })));
  };
  return { pieces: listPieces('[', Array(rows).keys(), write, ']') };
}

async function predict(request: RouteRequest): Promise<Reply> {
  const fields = fieldsOf(request.body, ['inputs', 'raw_scores', 'truncate', 'truncation_direction', 'model']);
  const { texts, isSingle } = predictInputs(fields.value('inputs'), request.limits.batchSize);
  const raw = fields.flag('raw_scores');
  const truncate = truncateOf(fields);
  const { model } = modelFor(request.models, fields.text('model'), 'classify');
  const all: LabelScore[][] = await compute(request, { texts: texts.length, isSingle, truncate }, (options) =>
    model.classify(texts, { ...options, raw }),
  );
  const predictions = all.map((labels) => labels.map(({ label, score }) => ({ score, label })));
  return json(isSingle ? predictions[0] : predictions);
}

const PREDICT = 'a string, a pair [string, string], or a batch [[string], [string, string], …]';

/** As in TEI, a list of strings is one text or a pair, and a batch is a list of lists. */
function predictInputs(value: unknown, most: number): { texts: (string | TextPair)[]; isSingle: boolean } {
  const isSingle = typeof value === 'string' || (Array.isArray(value) && typeof value[0] === 'string');
  const list = isSingle ? [value] : value;
  checkList(list, 'inputs', most, PREDICT);
  const texts = list.map((entry: unknown, i) => {
    const name = isSingle ? 'inputs' : `inputs[${i}]`;
    if (isSingle && typeof entry === 'string') return textOf(entry, name);
    if (!Array.isArray(entry) || entry.length < 1 || entry.length > 2) throw wrong(name, PREDICT, entry);
    const [text, pair] = entry.map((part) => textOf(part, name, PREDICT));
    return pair === undefined ? text : { text, pair };
  });
  return { texts, isSingle };
}

async function rerank(request: RouteRequest): Promise<Reply> {
  const known = ['query', 'texts', 'raw_scores', 'return_text', 'truncate', 'truncation_direction', 'model'];
  const fields = fieldsOf(request.body, known);
  const query = textOf(fields.value('query'), 'query');
  const texts = textsOf(fields.value('texts'), 'texts', request.limits.batchSize);
  const raw = fields.flag('raw_scores') ?? false;
  const isReturned = fields.flag('return_text');
  const truncate = truncateOf(fields);
  const { model } = modelFor(request.models, fields.text('model'), 'rerank');
  const ranked = await compute(request, { texts: texts.length, truncate }, (options) =>
    model.rerank(query, texts, { ...options, raw }),
  );
  return json(ranked.map(({ index, score }) => ({ index, ...(isReturned && { text: texts[index] }), score })));
}

async function tokenize(request: RouteRequest): Promise<Reply> {
  const fields = fieldsOf(request.body, ['inputs', 'add_special_tokens', 'prompt_name', 'model']);
  const inputs = fields.value('inputs');
  const texts =
    typeof inputs === 'string' ? [textOf(inputs, 'inputs')] : textsOf(inputs, 'inputs', request.limits.batchSize);
  const hasSpecial = fields.flag('add_special_tokens') ?? true;
  const name = fields.text('prompt_name');
  const { id, model } = modelFor(request.models, fields.text('model'));
  const { prompts } = model.info;
  if (name !== undefined && !Object.hasOwn(prompts, name)) {
    const known = Object.keys(prompts).join(', ') || 'none';
    throw new RequestError('input', `${id} has no prompt '${name.slice(0, 100)}'; it has ${known}.`, 'prompt_name');
  }
  const prompt = name === undefined ? '' : prompts[name];
  const all: object[][] = [];
  for (const text of texts) {
    request.signal.throwIfAborted();
    all.push(await simpleTokens(model, prompt + text, hasSpecial));
  }
  return json(all);
}

/** TEI counts in characters (code points), the library in UTF-16 code units. */
async function simpleTokens(model: ServedModel['model'], text: string, hasSpecial: boolean): Promise<object[]> {
  const { ids, tokens, offsets, sequenceIds } = await model.tokenize(text);
  const before = characters(text);
  const all = Array.from(ids, (id, i) => {
    const [start, stop] = offsets[i];
    return sequenceIds[i] < 0
      ? { id, text: tokens[i], special: true, start: null, stop: null }
      : { id, text: text.slice(start, stop), special: false, start: before[start], stop: before[stop] };
  });
  return hasSpecial ? all : all.filter(({ special }) => !special);
}

/** How many characters begin before each UTF-16 offset. */
function characters(text: string): Uint32Array {
  const before = new Uint32Array(text.length + 1);
  let count = 0;
  let at = 0;
  for (const character of text) {
    for (let unit = 0; unit < character.length; unit++) before[at++] = count;
    count++;
  }
  before[at] = count;
  return before;
}

const DTYPES = { f32: 'float32', f16: 'float16', q8: 'q8', q4: 'q4' };

/** Of the model that `?model=` names, by default the first. */
function info({ models, limits, query }: RouteRequest): Reply {
  const served = modelFor(models, query.get('model') ?? undefined);
  const { dtype, commit, maxTokens, maxTokensPerPass } = served.model.info;
  return json({
    model_id: served.id,
    model_sha: commit ?? null,
    model_dtype: DTYPES[dtype],
    model_type: modelType(served),
    max_concurrent_requests: limits.requests,
    max_input_length: maxTokens,
    max_batch_tokens: maxTokensPerPass,
    max_batch_requests: null,
    max_client_batch_size: limits.batchSize,
    auto_truncate: limits.truncate,
    tokenization_workers: 1,
    version,
    sha: null,
    docker_label: null,
  });
}

function modelType({ calls, model: { info: own } }: ServedModel): object {
  if (calls.has('embed')) return { embedding: { pooling: own.pooling.join('+') } };
  if (calls.has('embedSparse')) return { embedding: { pooling: 'splade' } };
  const labels = {
    id2label: Object.fromEntries(own.labels.entries()),
    label2id: Object.fromEntries(own.labels.map((label, i) => [label, i])),
  };
  return calls.has('rerank') && own.labels.length === 1 ? { reranker: labels } : { classifier: labels };
}

export const TEI_ROUTES: Record<string, Route> = {
  '/embed': { method: 'POST', api: 'tei', run: embed },
  '/embed_sparse': { method: 'POST', api: 'tei', run: embedSparse },
  '/predict': { method: 'POST', api: 'tei', run: predict },
  '/rerank': { method: 'POST', api: 'tei', run: rerank },
  '/tokenize': { method: 'POST', api: 'tei', run: tokenize },
  '/info': { method: 'GET', api: 'tei', run: info },
  '/health': { method: 'GET', api: 'tei', run: () => ({ pieces: [] }) },
  '/metrics': {
    method: 'GET',
    api: 'tei',
    run: ({ metrics }) => ({ pieces: [metrics()], type: 'text/plain; version=0.0.4; charset=utf-8' }),
  },
};
