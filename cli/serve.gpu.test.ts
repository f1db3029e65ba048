/** The server as users run it: built, in its own process, with real models; its answers are what the models return themselves. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import OpenAI, { AuthenticationError, BadRequestError, NotFoundError } from 'openai';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Model } from '../src/api/types';
import { maxDifference, publicModel } from '../src/model/fixtures/golden';
import { withModel } from '../src/session/fixtures';
import { labelsOf, tinyModel } from '../src/tasks/fixtures';
import { ROOT } from '../tools/bundle.mjs';
import { builtCli } from './fixtures';

const NANO_EMBED = publicModel('nano-embed');
const fixture = (name: string) => join(ROOT, 'src/reference/fixtures', name);
const RERANKER = fixture('cross-encoder');
const CLASSIFIER = fixture('cross-encoder-nli');
const SPARSE = fixture('splade-bert');
const TEXTS = ['The Seine crosses Paris.', 'Bread is made of flour, water and salt.', 'Zażółć 🙂'];

/** In f16, the last digits depend on which texts share a pass. */
const F32 = { arithmetic: 'f32' } as const;

const { start, run } = builtCli();

/** Starts a server and waits for the line that says its address. */
async function serving(...args: string[]) {
  const child = start('serve', ...args, '--port', '0', '--api-key', 'sesame');
  const lines: string[] = [];
  const output = createInterface(child.stderr);
  const url = await new Promise<string>((resolve, reject) => {
    output.on('line', (line) => {
      lines.push(line);
      const [, found] = / at (http:\/\/\S+)$/.exec(line) ?? [];
      if (found) resolve(found);
    });
    child.once('exit', () => reject(new Error(lines.join('\n'))));
  });
  return { child, url, lines };
}

async function stopped(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  child.kill(signal);
  const [code] = await once(child, 'close');
  return code;
}

const openai = (url: string) => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'sesame', maxRetries: 0 });

const post = (url: string, body: unknown, init: RequestInit = {}) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer sesame' },
    body: JSON.stringify(body),
    ...init,
  });

const metricsOf = async (url: string) =>
  (await fetch(`${url}/metrics`, { headers: { authorization: 'Bearer sesame' } })).text();

/** Waits until the server works on a request. */
const begun = (url: string) =>
  vi.waitUntil(async () => (await metricsOf(url)).includes('\nte_queue_size 1\n'), { timeout: 10_000 });

describe('a server with four models', () => {
  let child: ChildProcess;
  let url: string;
  let lines: string[];
  beforeAll(async () => {
    ({ child, url, lines } = await serving(
      `small=${NANO_EMBED}`,
      RERANKER,
      `nli=${CLASSIFIER}`,
      `splade=${SPARSE}`,
      '--arithmetic',
      'f32',
    ));
    return () => void child.kill('SIGKILL');
  });
  const ask = async (path: string, body: unknown) => (await post(url + path, body)).json();

  /** Compares rows of the server with those of the model. */
  const same = (rows: ArrayLike<number>[], { row }: { row(i: number): Float32Array }) => {
    for (const [i, own] of rows.entries()) expect(maxDifference(Float32Array.from(own), row(i))).toBeLessThan(1e-5);
  };
  const direct = <T>(model: string, use: (model: Model) => Promise<T>) => withModel(model, F32, use);

  it('says what it serves, and tells what each model can do', () => {
    expect(lines.at(-1)).toBe(
      `Serving small (embed), ${RERANKER} (classify, rerank), nli (classify), splade (embedSparse) at ${url}`,
    );
  });

  it("OpenAI's client: embeddings of texts and token ids, in both encodings, and its errors", async () => {
    const client = openai(url);
    const create = (body: object) =>
      client.embeddings.create({ model: 'small', input: TEXTS, ...body } as OpenAI.EmbeddingCreateParams);
    const bytes = await create({}); // base64 unless it is asked for floats
    const floats = await create({ encoding_format: 'float', dimensions: 64 });
    const one = await create({ input: TEXTS[1], input_type: 'query' });
    const ids = await Promise.all(
      TEXTS.map(async (inputs) => (await ask('/tokenize', { inputs }))[0].map(({ id }: { id: number }) => id)),
    );
    const fromIds = await create({ input: ids });
    const fromOneId = await create({ input: ids[2] });
    await direct(NANO_EMBED, async (model) => {
      const expected = await model.embed(TEXTS);
      const rows = ({ data }: OpenAI.CreateEmbeddingResponse) => data.map(({ embedding }) => embedding);
      expect(bytes.data.map(({ index }) => index)).toEqual([0, 1, 2]);
      same(rows(bytes), expected);
      same(rows(fromIds), expected);
      same(rows(fromOneId), await model.embed(TEXTS[2]));
      same(rows(one), await model.embed(TEXTS[1], { kind: 'query' }));
      const short = await model.embed(TEXTS, { dimensions: 64 });
      expect(rows(floats)[0]).toHaveLength(64);
      same(rows(floats), short);
      const tokens = await Promise.all(TEXTS.map((text) => model.tokenize(text)));
      const total = tokens.reduce((sum, { ids }) => sum + ids.length, 0);
      expect(bytes.usage).toEqual({ prompt_tokens: total, total_tokens: total });
    });
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(['small', RERANKER, 'nli', 'splade']);

    await expect(create({ model: 'text-embedding-3-small' })).rejects.toThrow(NotFoundError);
    await expect(create({ model: 'nli' })).rejects.toMatchObject({ status: 400, code: 'model_not_supported' });
    await expect(create({ input: '' })).rejects.toThrow(BadRequestError);
    await expect(create({ input: 'two '.repeat(9000) })).rejects.toThrow(/400 Text 0 has \d+ tokens, .* 8192/);
    await expect(create({ dimensions: 4000 })).rejects.toThrow(/400 dimensions must be an integer from 1 to/);
    // What tiktoken, and so LangChain's OpenAIEmbeddings by default, makes of "This is a sentence."
    await expect(create({ input: [2028, 374, 264, 11914, 13] })).rejects.toThrow(/400 The ids of text 0 lack/);
    const stranger = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
    await expect(stranger.models.list()).rejects.toThrow(AuthenticationError);
  });

  it('/embed, /embed_sparse, /predict and both reranks answer as the models', async () => {
    const [query, ...documents] = TEXTS;
    const [embedded, sparse, single, batch, ranks, ranked] = await Promise.all([
      ask('/embed', { inputs: TEXTS, normalize: false }),
      ask('/embed_sparse', { inputs: TEXTS }),
      ask('/predict', { inputs: [TEXTS[0], TEXTS[1]], model: 'nli' }),
      ask('/predict', { inputs: [[TEXTS[0]], [TEXTS[1], TEXTS[2]]], model: 'nli', raw_scores: true }),
      ask('/rerank', { query, texts: documents, raw_scores: true, return_text: true }),
      ask('/v1/rerank', { query, documents, top_n: 1, model: RERANKER }),
    ]);
    await direct(NANO_EMBED, async (model) => same(embedded, await model.embed(TEXTS, { normalize: false })));
    await direct(SPARSE, async (model) => {
      const { row } = await model.embedSparse(TEXTS);
      for (const [i, entries] of sparse.entries() as Iterable<[number, { index: number; value: number }[]]>) {
        expect(entries.map(({ index }) => index)).toEqual([...row(i).ids]);
        same([entries.map(({ value }) => value)], { row: () => row(i).weights });
      }
    });
    const close = (scores: { score: number; label?: string }[]) =>
      scores.map(({ score, ...rest }) => ({ ...rest, score: expect.closeTo(score, 5) }));
    await direct(CLASSIFIER, async (model) => {
      const [text, pair, third] = TEXTS;
      expect(single).toEqual(close(await model.classify({ text, pair })));
      const raw = await model.classify([text, { text: pair, pair: third }], { raw: true });
      expect(batch).toEqual(raw.map(close));
    });
    await direct(RERANKER, async (model) => {
      const raw = await model.rerank(query, documents, { raw: true });
      expect(ranks).toEqual(close(raw).map((rank, i) => ({ ...rank, text: documents[raw[i].index] })));
      const [{ index, score }] = await model.rerank(query, documents, { topK: 1 });
      expect(ranked.results).toEqual([{ index, relevance_score: expect.closeTo(score, 5) }]);
      expect(ranked.usage.total_tokens).toBeGreaterThan(20);
    });
  });

  it('many at once each get their own, and are counted', async () => {
    const texts = Array.from({ length: 40 }, (_, i) => `The number ${i} ${'and so on '.repeat(i % 7)}`);
    const answers = await Promise.all(texts.map((inputs) => ask('/embed', { inputs })));
    await direct(NANO_EMBED, async (model) => same(answers.flat(), await model.embed(texts)));
    const metrics = await metricsOf(url);
    expect(metrics).toMatch(/^te_request_success\{route="\/embed",method="single"\} 40$/m);
    expect(metrics).toMatch(/^te_queue_size 0$/m);
  });

  it('a client that goes does not take the server with it', async () => {
    const controller = new AbortController();
    const long = post(`${url}/embed`, { inputs: Array(500).fill('two '.repeat(200)) }, { signal: controller.signal });
    const ended = expect(long).rejects.toThrow(/abort/);
    await begun(url);
    controller.abort();
    await ended;
    expect(await ask('/embed', { inputs: 'a' })).toHaveLength(1);
  });

  it('SIGTERM: answers what is under way, frees the models and exits with 0', async () => {
    const under = post(`${url}/embed`, { inputs: Array(20).fill('two '.repeat(100)) });
    await begun(url);
    const exit = stopped(child, 'SIGTERM');
    const answer = await under;
    expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close']);
    expect(await answer.json()).toHaveLength(20);
    expect(await exit).toBe(0);
    expect(lines.at(-1)).toBe('Stopping.');
    await expect(fetch(`${url}/health`)).rejects.toThrow();
  });
});

it('Ctrl-C with --grace: what takes longer is told so', async () => {
  const { child, url } = await serving(NANO_EMBED, '--grace', '1', '--max-client-batch-size', '4000');
  const under = post(`${url}/embed`, { inputs: Array(3000).fill('two '.repeat(250)) });
  await begun(url);
  const exit = stopped(child, 'SIGINT');
  expect(await (await under).json()).toEqual({ error: 'The server is stopping.', error_type: 'Unhealthy' });
  expect(await exit).toBe(0);
});

it('what cannot be served is an error before the server listens', async () => {
  const tokens = tinyModel('tokcls', labelsOf(['O', 'B-X']));
  for (const [args, code, message] of [
    [[tokens], 1, /has no route: serve is for embeddings, .* Its task is tokcls\./],
    [[fixture('mv-colbert')], 1, /has no route: serve is for .* this one is multi-vector: use embedMultiVector/],
    [[NANO_EMBED, NANO_EMBED], 2, /Two models are called /],
    [[NANO_EMBED, '--port', '70000'], 2, /--port must be an integer from 0 to 65535, but is '70000'/],
    [
      [NANO_EMBED, '--cors', 'https://a.example/'],
      2,
      /--cors must have origins such as .* but has 'https:\/\/a\.example\/'/,
    ],
    [[NANO_EMBED, '--timeout', '3000000'], 2, /--timeout can be 86400 seconds at most, but is 3000000/],
    [[], 2, /Missing argument: MODEL/],
  ] as const) {
    const found = await run(['serve', ...args]);
    expect(found, args.join(' ')).toMatchObject({ code });
    expect(found.stderr).toMatch(message);
  }
});
