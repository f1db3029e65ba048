/** For tests: what the Hub answers, with folders of this machine in place of its repositories. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** The bytes of a file by its path on the Hub (`/org/name/resolve/main/file`), of any revision; `models`: folders by their ids. */
export async function hubFile(models: Record<string, string>, path: string): Promise<Buffer | undefined> {
  const [id, name = ''] = decodeURIComponent(path)
    .slice(1)
    .split(/\/resolve\/[^/]+\//);
  return Object.hasOwn(models, id) ? readFile(join(models[id], name)).catch(() => undefined) : undefined;
}

/** Serves the models; returns the address, for HF_ENDPOINT, and what ends it. */
export async function startHub(models: Record<string, string>): Promise<{ url: string; close: () => void }> {
  const server = createServer(async (request, response) => {
    const body = await hubFile(models, request.url ?? '');
    response.writeHead(body ? 200 : 404, { 'content-length': body?.length ?? 0 }).end(body);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => void server.close() };
}
