/** For tests of downloads: a server that behaves as the test says. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, vi } from 'vitest';
import type { ModelFiles } from '../formats/model-files';
import { readBytes } from '../formats/read';
import { noise } from './fixtures';
import { type Expected, openHttp } from './http';

/** The server of the test file at hand, and its requests. */
export const site = {
  origin: '',
  behave: ((_, response) => void response.end()) as RequestListener,
  requests: [] as IncomingMessage[],
};

/** Starts the server for this test file. */
export function useServer(): void {
  let server: Server;
  beforeAll(async () => {
    server = createServer((request, response) => {
      site.requests.push(request);
      site.behave(request, response);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    site.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    site.requests.splice(0);
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
}

export const BYTES = noise(300_000);
/** How many bytes a resumed download asks for again. */
export const OVERLAP = 65_536;
export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Sends BYTES from the requested start, and breaks the connection after `parts[i]` of them in the i-th answer. */
export function cutting(
  parts: number[],
  headers: (answer: number) => Record<string, string> = () => ({ etag: '"1"' }),
  takesRange = true,
) {
  let answers = 0;
  return ({ headers: { range }, socket }: IncomingMessage, response: ServerResponse) => {
    const answer = answers++;
    const start = takesRange ? Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0) : 0;
    const rest = BYTES.subarray(start);
    const isPart = start > 0;
    response.writeHead(isPart ? 206 : 200, {
      'content-length': rest.length,
      ...(isPart && { 'content-range': `bytes ${start}-${BYTES.length - 1}/${BYTES.length}` }),
      ...headers(answer),
    });
    const part = parts[answer];
    if (part === undefined) response.end(rest);
    else response.write(rest.subarray(0, part), () => setTimeout(() => socket.destroy(), 20));
  };
}

export const filesAt = (expected?: Expected): ModelFiles => ({
  where: site.origin,
  async open(name, signal) {
    const answer = await openHttp(name, `${site.origin}/${name}`, { signal, expected, retryDelay: 1 });
    return 'file' in answer ? answer.file : undefined;
  },
});
export const read = async (expected?: Expected) => (await readBytes(filesAt(expected), 'a.bin', { required: true }))!;
export const ranges = () => site.requests.map(({ headers }) => headers.range);
