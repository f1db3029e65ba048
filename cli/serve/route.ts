/** What a route is, and what its function works with. */
import type { CallOptions } from 'modernbert-webgpu/node';
import type { Api } from './errors';
import type { ServedModel } from './models';

export interface Route {
  method: 'GET' | 'POST';
  api: Api;
  run(request: RouteRequest): Reply | Promise<Reply>;
}

export interface RouteRequest {
  models: ServedModel[];
  limits: Limits;
  /** The parsed JSON; undefined for GET. */
  body: unknown;
  query: URLSearchParams;
  signal: AbortSignal;
  use: Use;
  /** The server's numbers in Prometheus' format. */
  metrics(): string;
}

/** What requests may ask for. */
export interface Limits {
  /** Texts of a request. */
  batchSize: number;
  /** Requests at a time. */
  requests: number;
  /** Bytes of a body. */
  payload: number;
  /** Milliseconds for a request. */
  timeout: number;
  /** Whether texts above a model's limit are cut where the request does not say. */
  truncate: boolean;
}

/** What a request took of a model. */
export interface Use {
  texts: number;
  tokens: number;
  /** Milliseconds between the call and its answer. */
  time: number;
  isSingle: boolean;
}

/** JSON unless `type` says something else, in pieces. */
export interface Reply {
  pieces: Iterable<string>;
  type?: string;
}

export const json = (value: unknown): Reply => ({ pieces: [JSON.stringify(value)] });

/** JSON with a long list in the middle, which is turned into text entry by entry. */
export function* listPieces<T>(before: string, items: Iterable<T>, write: (item: T) => string, after: string) {
  let separator = before;
  for (const item of items) {
    yield separator + write(item);
    separator = ',';
  }
  yield after;
}

/** A vector as JSON. Nine digits identify every f32; as a double it would print with up to 17. */
export const vectorText = (row: Float32Array): string => `[${Array.from(row, (x) => x.toPrecision(9)).join()}]`;

/** Runs a call of a model for a request, and notes what it took. */
export async function compute<T>(
  { signal, use, limits }: RouteRequest,
  { texts, isSingle = false, truncate = limits.truncate }: { texts: number; isSingle?: boolean; truncate?: boolean },
  call: (options: CallOptions) => Promise<T>,
): Promise<T> {
  Object.assign(use, { texts, isSingle });
  const onProgress: CallOptions['onProgress'] = ({ totalTokens }) => {
    use.tokens = totalTokens;
  };
  const begin = performance.now();
  try {
    return await call({ signal, truncate, onProgress });
  } finally {
    use.time = performance.now() - begin;
  }
}
