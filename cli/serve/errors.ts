/** What can be wrong with a request, and how each API says so. */

/** The API whose shapes a route has: OpenAI's, or that of Hugging Face's text-embeddings-inference (TEI). */
export type Api = 'openai' | 'tei';

interface Shape {
  openai: [status: number, type: string, code: string | null];
  tei: [status: number, error_type: string];
}

/**
 * TEI's status for what its validation refuses is 413, for what its JSON reader refuses 422, and for what its model cannot do 424 (its
 * openapi.json and router/src/http/server.rs).
 */
const SHAPES = {
  json: { openai: [400, 'invalid_request_error', null], tei: [400, 'Validation'] },
  field: { openai: [400, 'invalid_request_error', null], tei: [422, 'Validation'] },
  empty: { openai: [400, 'invalid_request_error', null], tei: [400, 'Empty'] },
  input: { openai: [400, 'invalid_request_error', null], tei: [413, 'Validation'] },
  batch_size: { openai: [400, 'invalid_request_error', null], tei: [413, 'Validation'] },
  payload: { openai: [413, 'invalid_request_error', null], tei: [413, 'Validation'] },
  media_type: { openai: [415, 'invalid_request_error', null], tei: [415, 'Validation'] },
  key: { openai: [401, 'invalid_request_error', 'invalid_api_key'], tei: [401, 'Unauthorized'] },
  host: { openai: [403, 'invalid_request_error', null], tei: [403, 'Validation'] },
  path: { openai: [404, 'invalid_request_error', 'unknown_url'], tei: [404, 'Validation'] },
  method: { openai: [405, 'invalid_request_error', null], tei: [405, 'Validation'] },
  model: { openai: [404, 'invalid_request_error', 'model_not_found'], tei: [404, 'Validation'] },
  model_type: { openai: [400, 'invalid_request_error', 'model_not_supported'], tei: [424, 'Backend'] },
  numeric: { openai: [422, 'invalid_request_error', 'numeric_overflow'], tei: [424, 'Backend'] },
  overloaded: { openai: [429, 'requests', 'rate_limit_exceeded'], tei: [429, 'Overloaded'] },
  device: { openai: [503, 'server_error', null], tei: [503, 'Unhealthy'] },
  stopping: { openai: [503, 'server_error', null], tei: [503, 'Unhealthy'] },
  timeout: { openai: [504, 'server_error', null], tei: [504, 'Backend'] },
  /** Nobody is left to read it. */
  cancelled: { openai: [499, 'server_error', null], tei: [499, 'Backend'] },
  internal: { openai: [500, 'server_error', null], tei: [500, 'Backend'] },
} satisfies Record<string, Shape>;

export type ErrorKind = keyof typeof SHAPES;

/** Of these the same request may succeed a second later; clients that know Retry-After wait so long. */
const RETRIED: readonly ErrorKind[] = ['overloaded', 'device', 'stopping'];

export class RequestError extends Error {
  override name = 'RequestError';
  constructor(
    readonly kind: ErrorKind,
    message: string,
    /** The field at fault. */
    readonly param: string | null = null,
    readonly headers: Record<string, string> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The library's errors: which are the request's fault, which the model's, which the device's. */
const LIBRARY: Record<string, ErrorKind> = {
  RangeError: 'input',
  NumericError: 'numeric',
  UnsupportedModelError: 'model_type',
  DeviceLostError: 'device',
  DeviceFaultError: 'device',
  WebGPUUnavailableError: 'device',
  AbortError: 'stopping',
};

/** Errors of the library's calls as a RequestError; of anything unexpected without its message, which may say more than a stranger should know. */
export function requestError(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  const { name, message } = error instanceof Error ? error : { name: '', message: '' };
  const kind = Object.hasOwn(LIBRARY, name) ? LIBRARY[name] : 'internal';
  const text = kind === 'internal' ? "Internal error; the server's log says more." : message;
  return new RequestError(kind, text, null, {}, { cause: error });
}

export interface ErrorReply {
  status: number;
  headers: Record<string, string>;
  json: object;
}

export function errorReply(api: Api, { kind, message, param, headers }: RequestError): ErrorReply {
  const all = RETRIED.includes(kind) ? { 'retry-after': '1', ...headers } : headers;
  const shape: Shape = SHAPES[kind];
  if (api === 'tei') {
    const [status, error_type] = shape.tei;
    return { status, headers: all, json: { error: message, error_type } };
  }
  const [status, type, code] = shape.openai;
  // These routes have no field for it.
  const text = message.replace('pass truncate: true', 'start the server with --auto-truncate');
  return { status, headers: all, json: { error: { message: text, type, param, code } } };
}
