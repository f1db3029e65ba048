/** What the routes read and answer, with models that compute nothing; the values of real ones are compared in serve.gpu.test.ts. */
import { describe, expect, it } from 'vitest';
import { serving, stubModel, vectorOf } from './fixtures';
import { namedSources } from './models';

const embedder = () => stubModel('org/embedder', ['embed']);
const reranker = () => stubModel('reranker', ['classify', 'rerank']);

describe('/v1/embeddings', () => {
  const numbers = (text: string) => [...vectorOf(text)];
  const rounded = (embedding: number[]) => [...Float32Array.from(embedding)];

  it('answers as OpenAI, with numbers that are exactly the f32', async () => {
    const { served } = embedder();
    const { post } = await serving([served]);
    const response = await post('/v1/embeddings', { model: 'org/embedder', input: ['a', 'bcd'], user: 'me' });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(response.headers.get('x-compute-tokens')).toBe('4');
    const { data, ...rest } = await response.json();
    expect(rest).toEqual({ object: 'list', model: 'org/embedder', usage: { prompt_tokens: 4, total_tokens: 4 } });
    expect(data).toMatchObject([
      { object: 'embedding', index: 0 },
      { object: 'embedding', index: 1 },
    ]);
    expect(data.map(({ embedding }: { embedding: number[] }) => rounded(embedding))).toEqual([
      numbers('a'),
      numbers('bcd'),
    ]);
  });

  it('base64: the bytes of the f32, the lowest first', async () => {
    const { ask } = await serving([embedder().served]);
    const { json } = await ask('/v1/embeddings', { input: 'abcd', encoding_format: 'base64' });
    const bytes = Buffer.from(json.data[0].embedding, 'base64');
    expect([0, 4, 8].map((at) => bytes.readFloatLE(at))).toEqual(numbers('abcd'));
  });

  it.each([
    ['abc', ['abc'], {}],
    [['abc', 'd'], ['abc', 'd'], {}],
    [[7, 8, 9], [{ ids: [7, 8, 9] }], { prompt: '' }],
    [[[7, 8], [9]], [{ ids: [7, 8] }, { ids: [9] }], { prompt: '' }],
  ])('reads %j', async (input, texts, options) => {
    const { served, made } = embedder();
    const { ask } = await serving([served]);
    expect(await ask('/v1/embeddings', { input, dimensions: 2, model: null })).toMatchObject({ status: 200 });
    expect(made).toEqual([['embed', texts, { truncate: false, dimensions: 2, ...options }]]);
  });

  it('says how to have texts cut, which its API has no field for', async () => {
    const { served } = stubModel('org/embedder', ['embed'], async () => {
      throw new RangeError('Text 0 has 9 tokens, the limit is 8. Shorten it, or pass truncate: true.');
    });
    const { ask } = await serving([served]);
    const { status, json } = await ask('/v1/embeddings', { input: 'a' });
    expect([status, json.error.message]).toEqual([
      400,
      'Text 0 has 9 tokens, the limit is 8. Shorten it, or start the server with --auto-truncate.',
    ]);
    const own = await ask('/embed', { inputs: 'a' });
    expect(own.json.error).toContain('pass truncate: true');
  });

  it('knows what a text is in a search, as its own API has no word for it', async () => {
    const { served, made } = embedder();
    const { ask } = await serving([served], { limits: { truncate: true } });
    for (const input_type of ['query', 'search_document', 'passage']) {
      expect((await ask('/v1/embeddings', { input: 'a', input_type })).status).toBe(200);
    }
    await ask('/v1/embeddings', { input: 'a', prompt_name: 'query' });
    expect(made.map(([, , options]) => options)).toEqual([
      { truncate: true, kind: 'query' },
      { truncate: true, kind: 'document' },
      { truncate: true, kind: 'document' },
      { truncate: true, promptName: 'query' },
    ]);
  });

  it.each([
    ['not JSON', 400, /^The body is not valid JSON \(/, null],
    [[1], 400, 'The body must be a JSON object, not an array.', null],
    [{}, 400, '`input` must be a string, token ids, or a list of these, not left out.', 'input'],
    [{ input: 5 }, 400, '`input` must be a string, token ids, or a list of these, not 5.', 'input'],
    [{ input: '' }, 400, '`input` is empty.', 'input'],
    [{ input: [] }, 400, '`input` is empty.', 'input'],
    [{ input: ['a', ''] }, 400, '`input[1]` is empty.', 'input'],
    [{ input: [[]] }, 400, '`input[0]` is empty.', 'input'],
    [{ input: ['a', null] }, 400, '`input[1]` must be a string or token ids, not null.', 'input'],
    [{ input: [1, 2.5] }, 400, '`input` must be token ids, integers from 0, not an array.', 'input'],
    [{ input: [[1, -2]] }, 400, '`input[0]` must be token ids, integers from 0, not an array.', 'input'],
    [{ input: Array(9).fill('a') }, 400, /^`input` has 9 entries; a request may have 8 \(--max-client-batch/, 'input'],
    [{ input: 'a', encoding_format: 'int8' }, 400, /must be one of float, base64, not 'int8'\.$/, 'encoding_format'],
    [{ input: 'a', dimensions: 0 }, 400, '`dimensions` must be a positive integer, not 0.', 'dimensions'],
    [{ input: 'a', dimension: 64 }, 400, /^There is no field 'dimension' here; the fields are input, /, 'dimension'],
    [{ input: 'a', input_type: 'title' }, 400, /must be one of query, document, /, 'input_type'],
    [{ input: [1], prompt_name: 'query' }, 400, /^No prompt can be put before token ids/, 'prompt_name'],
    [{ input: 'a', model: 5 }, 400, '`model` must be a string, not 5.', 'model'],
    [{ input: 'a', user: [] }, 400, '`user` must be a string, not an array.', 'user'],
  ])('%j: %i in the shape of OpenAI', async (body, status, message, param) => {
    const { served, made } = embedder();
    const { ask } = await serving([served]);
    const text = typeof message === 'string' ? message : expect.stringMatching(message);
    const error = { message: text, type: 'invalid_request_error', param, code: null };
    expect(await ask('/v1/embeddings', body)).toEqual({ status, json: { error } });
    expect(made).toEqual([]);
  });

  it('__proto__ is a field like others', async () => {
    const { ask } = await serving([embedder().served]);
    const { status, json } = await ask('/v1/embeddings', '{"input":"a","__proto__":{"model":"x"}}');
    expect([status, json.error.param]).toEqual([400, '__proto__']);
  });
});

describe('models', () => {
  it('are listed, and asked for by name; by default the first that can do the call', async () => {
    const [one, two, three] = [reranker(), embedder(), stubModel('other', ['embed'])];
    const { ask, get } = await serving([one.served, two.served, three.served]);
    const entry = { object: 'model', created: 1234, owned_by: 'modernbert-webgpu' };
    expect(await (await get('/v1/models')).json()).toEqual({
      object: 'list',
      data: ['reranker', 'org/embedder', 'other'].map((id) => ({ id, ...entry })),
    });
    expect((await ask('/v1/embeddings', { input: 'a' })).json.model).toBe('org/embedder');
    expect((await ask('/v1/embeddings', { input: 'a', model: 'other' })).json.model).toBe('other');
    expect((await ask('/v1/embeddings', { input: 'a', model: 'text-embedding-3-small' })).json).toEqual({
      error: {
        message: "There is no model 'text-embedding-3-small'; there are reranker, org/embedder, other.",
        type: 'invalid_request_error',
        param: 'model',
        code: 'model_not_found',
      },
    });
    expect(await ask('/v1/embeddings', { input: 'a', model: 'reranker' })).toMatchObject({
      status: 400,
      json: { error: { message: 'This route needs an embedding model, which reranker is not.', param: 'model' } },
    });
    expect((await ask('/embed', { inputs: 'a', model: 'nobody' })).status).toBe(404);
  });

  it.each([
    ['/v1/embeddings', { input: 'a' }, 400, 'an embedding model'],
    ['/v1/rerank', { query: 'a', documents: ['a'] }, 400, 'a reranker (a sequence classifier with one or two labels)'],
    ['/embed', { inputs: 'a' }, 424, 'an embedding model'],
    ['/predict', { inputs: 'a' }, 424, 'a sequence classifier'],
    ['/rerank', { query: 'a', texts: ['a'] }, 424, 'a reranker (a sequence classifier with one or two labels)'],
  ])('%s says that no model is there for it', async (path, body, status, needs) => {
    const { ask } = await serving([stubModel('sparse', ['embedSparse']).served]);
    const message = `This route needs ${needs}; none is loaded: sparse.`;
    const json =
      status === 400
        ? { error: { message, type: 'invalid_request_error', param: null, code: 'model_not_supported' } }
        : { error: message, error_type: 'Backend' };
    expect(await ask(path, body)).toEqual({ status, json });
  });

  it('have an alias, or the name that they are given by, without what may be a secret in it', () => {
    const url = 'https://me:pass@example.org/m?token=5';
    expect(namedSources(['a/b', 'small=c/d', 'text/v3=./x=y', './p=q', url, `mine=${url}`])).toEqual([
      { id: 'a/b', source: 'a/b' },
      { id: 'small', source: 'c/d' },
      { id: 'text/v3', source: './x=y' },
      { id: './p=q', source: './p=q' },
      { id: 'https://example.org/m', source: url },
      { id: 'mine', source: url },
    ]);
    expect(() => namedSources(['a/b', 'c/d', 'a/b'])).toThrow("Two models are called 'a/b'");
  });
});

describe('rerank', () => {
  const documents = ['aa', 'aaaa', 'a'];

  it('/v1/rerank: the shape of Jina and Cohere, with probabilities', async () => {
    const { served, made } = reranker();
    const { ask } = await serving([served]);
    const { json } = await ask('/v1/rerank', { query: 'q', documents, top_n: 2, return_documents: true });
    expect(json).toEqual({
      object: 'list',
      model: 'reranker',
      results: [
        { index: 1, relevance_score: 4, document: { text: 'aaaa' } },
        { index: 0, relevance_score: 2, document: { text: 'aa' } },
      ],
      usage: { prompt_tokens: 7, total_tokens: 7 },
    });
    const plain = await ask('/v1/rerank', { query: 'q', documents: [{ text: 'aa' }, 'a'] });
    expect(plain.json.results).toEqual([
      { index: 0, relevance_score: 2 },
      { index: 1, relevance_score: 1 },
    ]);
    expect(made).toEqual([
      ['rerank', 'q', documents, { truncate: false, topK: 2, raw: false }],
      ['rerank', 'q', ['aa', 'a'], { truncate: false, raw: false }],
    ]);
  });

  it('/rerank: the shape of TEI', async () => {
    const { served, made } = reranker();
    const { ask } = await serving([served]);
    const body = { query: 'q', texts: documents, raw_scores: true, return_text: true, truncate: true };
    expect((await ask('/rerank', { ...body, truncation_direction: 'Right' })).json).toEqual([
      { index: 1, text: 'aaaa', score: 4 },
      { index: 0, text: 'aa', score: 2 },
      { index: 2, text: 'a', score: 1 },
    ]);
    expect((await ask('/rerank', { query: 'q', texts: ['a'] })).json).toEqual([{ index: 0, score: 1 }]);
    expect(made).toEqual([
      ['rerank', 'q', documents, { truncate: true, raw: true }],
      ['rerank', 'q', ['a'], { truncate: false, raw: false }],
    ]);
  });

  it.each([
    [
      '/v1/rerank',
      { query: 'q', texts: ['a'] },
      400,
      /There is no field 'texts' here; the fields are model, query, doc/,
    ],
    ['/v1/rerank', { query: 'q', documents: [{ title: 'a' }] }, 400, /`documents\[0\]` must be a string or \{ text \}/],
    ['/v1/rerank', { query: 'q', documents: [{ text: '' }] }, 400, '`documents[0].text` is empty.'],
    ['/v1/rerank', { documents: ['a'] }, 400, '`query` must be a string, not left out.'],
    ['/rerank', { query: '', texts: ['a'] }, 400, '`query` is empty.'],
    ['/rerank', { query: 'q', texts: 'a' }, 422, "`texts` must be a list of strings, not 'a'."],
    ['/rerank', { query: 'q', texts: ['a'], raw_scores: 1 }, 422, '`raw_scores` must be true or false, not 1.'],
    [
      '/rerank',
      { query: 'q', texts: ['a'], truncation_direction: 'Left' },
      422,
      /must be one of right, Right, not 'Left'/,
    ],
    ['/rerank', { query: 'q', texts: Array(9).fill('a') }, 413, /`texts` has 9 entries/],
  ])('%s %j: %i', async (path, body, status, message) => {
    const { ask } = await serving([reranker().served]);
    const found = await ask(path, body);
    const text = typeof message === 'string' ? message : expect.stringMatching(message);
    expect(found).toMatchObject({
      status,
      json: status === 400 && path.startsWith('/v1') ? { error: { message: text } } : { error: text },
    });
  });
});

describe('the other routes of TEI', () => {
  it('/embed', async () => {
    const { served, made } = embedder();
    const { ask } = await serving([served]);
    const { json } = await ask('/embed', { inputs: ['abc', [5, 6]], normalize: false, truncate: true, dimensions: 3 });
    expect(json.map((row: number[]) => row.map(Math.fround))).toEqual([
      [1, Math.fround(-1e-7), 0.5],
      [Math.fround(2 / 3), Math.fround(-1e-7), 0.5],
    ]);
    expect((await ask('/embed', { inputs: [5, 6] })).json).toHaveLength(1);
    expect((await ask('/embed', { inputs: 'abc', prompt_name: 'query' })).status).toBe(200);
    expect(made).toEqual([
      ['embed', ['abc', { ids: [5, 6] }], { truncate: true, prompt: '', dimensions: 3, normalize: false }],
      ['embed', [{ ids: [5, 6] }], { truncate: false, prompt: '' }],
      ['embed', ['abc'], { truncate: false, promptName: 'query' }],
    ]);
    expect(await ask('/embed', { inputs: [] })).toEqual({
      status: 400,
      json: { error: '`inputs` is empty.', error_type: 'Empty' },
    });
  });

  it('/embed_sparse', async () => {
    const { ask } = await serving([stubModel('sparse', ['embedSparse']).served]);
    expect((await ask('/embed_sparse', { inputs: ['abc', 'd'] })).json).toEqual([
      [
        { index: 3, value: 3 },
        { index: 70, value: 0.25 },
      ],
      [
        { index: 3, value: 1 },
        { index: 70, value: 0.25 },
      ],
    ]);
    expect(await ask('/embed_sparse', { inputs: [5] })).toMatchObject({ status: 422 });
  });

  it.each([
    ['abc', ['abc'], true],
    [['abc'], ['abc'], true],
    [['abc', 'd'], [{ text: 'abc', pair: 'd' }], true],
    [[['abc'], ['d', 'e']], ['abc', { text: 'd', pair: 'e' }], false],
  ])('/predict reads %j as TEI does', async (inputs, texts, isSingle) => {
    const { served, made } = stubModel('classifier', ['classify']);
    const { ask } = await serving([served]);
    const { status, json } = await ask('/predict', { inputs, raw_scores: true });
    expect(status).toBe(200);
    expect(made).toEqual([['classify', texts, { truncate: false, raw: true }]]);
    const first = isSingle ? json : json[0];
    expect(first).toEqual([
      { score: expect.any(Number), label: 'good' },
      { score: 0, label: 'bad' },
    ]);
    if (!isSingle) expect(json).toHaveLength(2);
  });

  it.each([[['a', 'b', 'c']], [[['a'], 'b']], [[['a', 'b', 'c']]], [[[]]], [5], [[['a', 5]]]])(
    '/predict refuses %j',
    async (inputs) => {
      const { ask } = await serving([stubModel('classifier', ['classify']).served]);
      const error = expect.stringMatching(/ must be a string, a pair \[string, string\], or a batch /);
      expect(await ask('/predict', { inputs })).toEqual({ status: 422, json: { error, error_type: 'Validation' } });
    },
  );

  it('/tokenize counts in characters', async () => {
    const { ask } = await serving([embedder().served]);
    const special = { special: true, start: null, stop: null };
    expect((await ask('/tokenize', { inputs: '🙂é' })).json).toEqual([
      [
        { id: 1, text: '[CLS]', ...special },
        { id: 0x1f642, text: '🙂', special: false, start: 0, stop: 1 },
        { id: 0xe9, text: 'é', special: false, start: 1, stop: 2 },
        { id: 2, text: '[SEP]', ...special },
      ],
    ]);
    const bare = await ask('/tokenize', { inputs: ['a', 'b'], add_special_tokens: false, prompt_name: 'query' });
    expect(bare.json.map((tokens: { text: string }[]) => tokens.map(({ text }) => text).join(''))).toEqual([
      'q: a',
      'q: b',
    ]);
    expect(await ask('/tokenize', { inputs: 'a', prompt_name: 'passage' })).toMatchObject({
      status: 413,
      json: { error: "org/embedder has no prompt 'passage'; it has query." },
    });
  });

  it('/info of the first model, or of the one that is named', async () => {
    const { get } = await serving([embedder().served, reranker().served, stubModel('c', ['classify']).served]);
    expect(await (await get('/info')).json()).toEqual({
      model_id: 'org/embedder',
      model_sha: 'abc',
      model_dtype: 'float16',
      model_type: { embedding: { pooling: 'mean' } },
      max_concurrent_requests: 4,
      max_input_length: 512,
      max_batch_tokens: 8192,
      max_batch_requests: null,
      max_client_batch_size: 8,
      auto_truncate: false,
      tokenization_workers: 1,
      version: expect.stringMatching(/^\d/),
      sha: null,
      docker_label: null,
    });
    const of = async (id: string) => (await (await get(`/info?model=${id}`)).json()).model_type;
    expect(await of('reranker')).toEqual({ reranker: { id2label: { 0: 'LABEL_0' }, label2id: { LABEL_0: 0 } } });
    expect(await of('c')).toEqual({ classifier: { id2label: { 0: 'bad', 1: 'good' }, label2id: { bad: 0, good: 1 } } });
    expect((await get('/info?model=x')).status).toBe(404);
  });
});
