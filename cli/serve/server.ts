/** The HTTP server: reads requests, sends them to their routes, and writes answers and errors. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Api, errorReply, RequestError, requestError } from './errors';
import { checkHost, checkKey, corsHeaders, type Guards } from './guards';
import { createMetrics } from './metrics';
import type { ServedModel } from './models';
import { OPENAI_ROUTES } from './openai';
import { readJson } from './read-json';
import type { Limits, Reply, Route, Use } from './route';
import { TEI_ROUTES } from './tei';

const ROUTES = new Map<string, Route>(Object.entries({ ...OPENAI_ROUTES, ...TEI_ROUTES }));

export interface ServerOptions {
  models: ServedModel[];
  limits: Limits;
  guards: Guards;
  port: number;
  /** Prints a line about an unexpected error. */
  log(text: string): void;
}

export interface Server {
  url: string;
  /** Takes no more requests; those under way have `grace` milliseconds. Resolves when all are answered. */
  stop(grace: number): Promise<void>;
}

/** Milliseconds between turns of the event loop while an answer is made into text. */
const TURN = 50;
/** Milliseconds for aborted requests to be answered, before their connections are cut. */
const LAST_WORDS = 1000;

/** Rejects if the port cannot be listened on. */
export async function startServer({ models, limits, guards, port, log }: ServerOptions): Promise<Server> {
  const running = new Set<AbortController>();
  const metrics = createMetrics(() => running.size);
  let isStopping = false;

  const server = createServer(
    { requestTimeout: limits.timeout },
    (request, response) => void answer(request, response),
  );

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const begin = performance.now();
    const [pathname, query] = splitAt(request.url ?? '/', '?');
    const route = ROUTES.get(pathname);
    const api: Api = route?.api ?? (pathname.startsWith('/v1/') ? 'openai' : 'tei');
    const use: Use = { texts: 0, tokens: 0, time: 0, isSingle: false };
    const controller = new AbortController();
    response.on('close', () => {
      if (!response.writableFinished) controller.abort(new RequestError('cancelled', 'The client has gone.'));
    });
    controller.signal.addEventListener('abort', () => {
      if (response.headersSent) response.destroy(); // whoever reads too slowly holds a place
    });
    const timer = setTimeout(() => {
      controller.abort(new RequestError('timeout', `No answer within ${limits.timeout / 1000} seconds (--timeout).`));
    }, limits.timeout);
    const isCounted = route?.method === 'POST';
    let failure: RequestError | undefined;
    try {
      for (const [name, value] of Object.entries(corsHeaders(request, guards))) response.setHeader(name, value);
      checkHost(request, guards);
      if (request.method === 'OPTIONS' && guards.origins.length > 0) {
        response.writeHead(204).end();
        return;
      }
      const { method, run } = checkRoute(route, pathname, request.method);
      if (pathname !== '/health') checkKey(request, guards);
      if (isStopping) throw new RequestError('stopping', 'The server is stopping.');
      if (method === 'POST') {
        if (running.size >= limits.requests) {
          throw new RequestError(
            'overloaded',
            `The model is overloaded: ${running.size} requests are under way (--max-concurrent-requests).`,
          );
        }
        running.add(controller);
      }
      const { signal } = controller;
      const body = method === 'POST' ? await readJson(request, limits.payload, signal) : undefined;
      const reply = await run({
        models,
        limits,
        body,
        query: new URLSearchParams(query),
        signal,
        use,
        metrics: metrics.text,
      });
      await write(response, reply, use, isStopping);
      if (signal.aborted) failure = requestError(signal.reason);
    } catch (error) {
      failure = requestError(error);
      if (failure.kind === 'internal') log(`${request.method} ${pathname}: ${describe(error)}`);
      writeError(request, response, api, failure, isStopping);
    } finally {
      clearTimeout(timer);
      running.delete(controller);
      if (isCounted) note(pathname, use, failure, performance.now() - begin);
    }
  }

  function note(route: string, use: Use, failure: RequestError | undefined, time: number): void {
    const labels = { route, method: use.isSingle ? 'single' : 'batch' };
    metrics.count('te_request_count', labels);
    if (failure) {
      metrics.count('te_request_failure', { route, err: failure.kind });
      return;
    }
    metrics.count('te_request_success', labels);
    metrics.observe('te_request_duration', { route }, time / 1000);
    if (use.texts === 0) return; // nothing was computed
    metrics.observe('te_request_inference_duration', { route }, use.time / 1000);
    metrics.observe('te_request_batch_size', { route }, use.texts);
    metrics.observe('te_request_tokens', { route }, use.tokens);
  }

  try {
    await once(server.listen(port, guards.host), 'listening');
  } catch (cause) {
    throw new Error(`Cannot listen on port ${port} of ${guards.host} (${(cause as Error).message}).`, { cause });
  }
  const { address, port: own, family } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${own}`,
    async stop(grace) {
      isStopping = true;
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      const abort = () => {
        for (const one of running) one.abort(new RequestError('stopping', 'The server is stopping.'));
      };
      const timers = [setTimeout(abort, grace), setTimeout(() => server.closeAllConnections(), grace + LAST_WORDS)];
      await closed;
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

function checkRoute(route: Route | undefined, path: string, method = ''): Route {
  if (!route) {
    throw new RequestError('path', `There is no ${path.slice(0, 100)}; there are ${[...ROUTES.keys()].join(', ')}.`);
  }
  if (method === route.method || (method === 'HEAD' && route.method === 'GET')) return route;
  throw new RequestError('method', `${path} is for ${route.method}, not ${method}.`, null, { allow: route.method });
}

async function write(response: ServerResponse, reply: Reply, use: Use, isLast: boolean): Promise<void> {
  if (isLast) response.setHeader('connection', 'close');
  response.setHeader('content-type', reply.type ?? 'application/json');
  if (use.texts > 0) {
    response.setHeader('x-compute-tokens', use.tokens);
    response.setHeader('x-compute-time', Math.round(use.time));
  }
  let turn = performance.now();
  for (const piece of reply.pieces) {
    const isFull = !response.write(piece);
    if (response.closed) return;
    if (isFull) await drained(response);
    else if (performance.now() - turn > TURN) await new Promise((resolve) => setImmediate(resolve));
    else continue;
    turn = performance.now();
  }
  response.end();
}

/** Resolves when more can be written, or nothing ever. */
const drained = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });

function writeError(
  request: IncomingMessage,
  response: ServerResponse,
  api: Api,
  error: RequestError,
  isLast: boolean,
): void {
  if (response.headersSent) {
    response.destroy(); // half an answer must not look like a whole one
    return;
  }
  const { status, headers, json } = errorReply(api, error);
  // What is left of the body is not read.
  const isOver = isLast || !request.complete;
  response.writeHead(status, {
    'content-type': 'application/json',
    ...headers,
    ...(isOver && { connection: 'close' }),
  });
  response.end(JSON.stringify(json));
}

const splitAt = (text: string, mark: string): [before: string, after: string] => {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
};

/** For the log: no texts are in the messages of unexpected errors, but the stack says where. */
const describe = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
