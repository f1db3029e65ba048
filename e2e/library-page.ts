/** A page that has the built library in `window.library`, served with a model's files to the browser of a test file. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { bundleLibrary } from '../tools/library.mjs';

interface Served {
  /** The file of a path that is neither the page's nor the library's. */
  fileOf(path: string): string;
  /** Texts to serve by their paths. */
  texts?: Record<string, string>;
  /** Code that runs before that of a file, by its path. */
  before?: Record<string, string>;
  /** Sent with every file. */
  headers?: Record<string, string>;
  /** Further properties of `window`, as JavaScript. */
  globals?: string;
  /** Called with every path; if it returns false, the connection is cut. */
  onRequest?(path: string): boolean;
}

const TYPES: Record<string, string> = {
  '': 'text/html',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** Starts the server before a file's tests, and returns a function that returns its origin. */
export function useLibraryPage({
  fileOf,
  texts = {},
  before = {},
  headers = {},
  globals = '',
  onRequest = () => true,
}: Served): () => string {
  let built: string;
  let origin: string;
  const pages: Record<string, string> = {
    '/': '<!doctype html><link rel="icon" href="data:,"><script type="module" src="main.js"></script>',
    '/main.js': `import * as library from './library/index.js'; Object.assign(window, { library, ${globals} });`,
  };
  const server = createServer(async (request, response) => {
    const path = request.url ?? '';
    if (!onRequest(path)) return request.socket.destroy();
    const file = path.startsWith('/library/') ? join(built, path.slice('/library/'.length)) : fileOf(path);
    const body = pages[path] ?? texts[path] ?? (await readFile(file).catch(() => undefined));
    const type = TYPES[extname(path)] ?? 'application/octet-stream';
    response.writeHead(body ? 200 : 404, { ...headers, 'content-type': type });
    if (body) response.write(before[path] ?? '');
    response.end(body);
  });
  beforeAll(async () => {
    built = await mkdtemp(join(tmpdir(), 'library-'));
    await bundleLibrary(built);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.close();
    await rm(built, { recursive: true });
  });
  return () => origin;
}
