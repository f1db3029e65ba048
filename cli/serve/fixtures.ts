/** For tests: servers with models that compute nothing. */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { json as readJson } from 'node:stream/consumers';
import type { CallOptions, Model } from 'modernbert-webgpu/node';
import { onTestFinished } from 'vitest';
import type { ServedCall, ServedModel } from './models';
import { type Server, type ServerOptions, startServer } from './server';

type Options = CallOptions & Record<string, unknown>;
type Text = string | { ids: number[] };

const lengthOf = (text: unknown): number =>
  typeof text === 'string' ? text.length : ((text as { ids?: number[] }).ids?.length ?? JSON.stringify(text).length);

/** Values that are f32 and depend on the text's length. */
export const vectorOf = (text: Text): Float32Array => Float32Array.of(lengthOf(text) / 3, -1e-7, 0.5);

/** A model that notes its calls; `before` may reject or wait first, as a real one would. */
export function stubModel(
  id: string,
  calls: ServedCall[],
  before: (options: Options) => Promise<void> = async () => {},
) {
  const made: unknown[][] = [];
  const noted = async (name: string, args: unknown[], texts: unknown[]) => {
    const { signal, onProgress, ...options } = args.pop() as Options;
    made.push([name, ...args, options]);
    await before({ signal, ...options });
    const totalTokens = texts.reduce((sum: number, text) => sum + lengthOf(text), 0);
    onProgress?.({ done: texts.length, total: texts.length, tokens: totalTokens, totalTokens });
  };
  const model = {
    info: {
      task: calls.includes('classify') ? 'seqcls' : 'encoder',
      dtype: 'f16',
      commit: 'abc',
      maxTokens: 512,
      maxTokensPerPass: 8192,
      labels: calls.includes('rerank') ? ['LABEL_0'] : ['bad', 'good'],
      pooling: ['mean'],
      prompts: { query: 'q: ' },
    },
    async embed(texts: Text[], options: Options) {
      await noted('embed', [texts, options], texts);
      return { rows: texts.length, row: (i: number) => vectorOf(texts[i]) };
    },
    async embedSparse(texts: string[], options: Options) {
      await noted('embedSparse', [texts, options], texts);
      return {
        rows: texts.length,
        row: (i: number) => ({ ids: Uint32Array.of(3, 70), weights: Float32Array.of(lengthOf(texts[i]), 0.25) }),
      };
    },
    async classify(texts: unknown[], options: Options) {
      await noted('classify', [texts, options], texts);
      return texts.map((text) => [
        { label: 'good', score: lengthOf(text) },
        { label: 'bad', score: 0 },
      ]);
    },
    async rerank(query: string, documents: string[], options: Options) {
      await noted('rerank', [query, documents, options], documents);
      return documents
        .map((document, index) => ({ index, score: document.length }))
        .sort((a, b) => b.score - a.score)
        .slice(0, options.topK as number | undefined);
    },
    /** A token per character, with [CLS] and [SEP] around. */
    async tokenize(text: string) {
      const characters = [...text];
      const ends = characters.map((_, i) => characters.slice(0, i + 1).join('').length);
      const offsets = characters.map((character, i) => [ends[i] - character.length, ends[i]]);
      return {
        ids: Uint32Array.from([1, ...characters.map((character) => character.codePointAt(0)!), 2]),
        tokens: ['[CLS]', ...characters, '[SEP]'],
        offsets: [[0, 0], ...offsets, [0, 0]],
        sequenceIds: Int32Array.from([-1, ...characters.map(() => 0), -1]),
      };
    },
  };
  const served: ServedModel = { id, model: model as unknown as Model, calls: new Set(calls), loaded: 1234 };
  return { served, made };
}

const LIMITS = { batchSize: 8, requests: 4, payload: 2000, timeout: 60_000, truncate: false };

type Changes = Partial<Omit<ServerOptions, 'models' | 'limits' | 'guards'>> & {
  limits?: Partial<ServerOptions['limits']>;
  guards?: Partial<ServerOptions['guards']>;
};

/** A server on a free port, which stops after the test. */
export async function serving(models: ServedModel[], { limits, guards, ...rest }: Changes = {}) {
  const log: string[] = [];
  const server: Server = await startServer({
    models,
    limits: { ...LIMITS, ...limits },
    guards: { host: '127.0.0.1', apiKey: undefined, origins: [], ...guards },
    port: 0,
    log: (text) => log.push(text),
    ...rest,
  });
  onTestFinished(() => server.stop(0));
  const get = (path: string, headers: Record<string, string> = {}) => fetch(server.url + path, { headers });
  const post = (path: string, body: unknown, init: RequestInit = {}) =>
    fetch(server.url + path, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      ...init,
      headers: { 'content-type': 'application/json', ...init.headers },
    });
  /** The status and JSON of an answer. */
  const ask = async (path: string, body: unknown) => {
    const response = await post(path, body);
    return { status: response.status, json: await response.json() };
  };
  return { ...server, log, get, post, ask };
}

/** A request whose headers fetch would not let through. */
export const raw = (url: string, headers: Record<string, string>, method = 'GET') =>
  new Promise<{ status?: number; headers: IncomingHttpHeaders; json: unknown }>((resolve, reject) => {
    const request = httpRequest(url, { method, headers }, async (response) => {
      const { statusCode, headers: own } = response;
      resolve({ status: statusCode, headers: own, json: await readJson(response).catch(() => undefined) });
    });
    request.on('error', reject).end();
  });
