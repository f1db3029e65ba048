/** The JSON of a request's body. */
import type { IncomingMessage } from 'node:http';
import { RequestError } from './errors';

/**
 * Browsers send requests with this type to another origin only after asking it, so that a page elsewhere cannot make a local server compute.
 * Rejects with a RequestError, or the signal's reason.
 */
export async function readJson(request: IncomingMessage, limit: number, signal: AbortSignal): Promise<unknown> {
  const { 'content-type': type = '', 'content-encoding': encoding } = request.headers;
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new RequestError(
      'media_type',
      `The body must have content-type: application/json, not '${type.slice(0, 100)}'.`,
    );
  }
  if (encoding !== undefined && encoding !== 'identity') {
    throw new RequestError(
      'media_type',
      `The body must not be compressed; its content-encoding is ${encoding.slice(0, 100)}.`,
    );
  }
  const bytes = await readBytes(request, limit, signal);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new RequestError('json', `The body is not valid JSON (${(error as Error).message}).`);
  }
}

function readBytes(request: IncomingMessage, limit: number, signal: AbortSignal): Promise<Buffer> {
  const tooLong = () =>
    new RequestError('payload', `The body has more than ${limit} bytes, the limit here (--payload-limit).`);
  if (Number(request.headers['content-length']) > limit) return Promise.reject(tooLong());
  return new Promise((resolve, reject) => {
    let parts: Buffer[] = [];
    let length = 0;
    const stop = (reason: unknown) => {
      parts = [];
      reject(reason);
    };
    if (signal.aborted) stop(signal.reason);
    signal.addEventListener('abort', () => stop(signal.reason));
    request.on('data', (part: Buffer) => {
      length += part.length;
      if (length > limit) stop(tooLong());
      else parts.push(part);
    });
    request.on('end', () => resolve(Buffer.concat(parts)));
    request.on('error', stop);
  });
}
