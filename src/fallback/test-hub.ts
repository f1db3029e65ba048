/** For tests: a mirror of the Hub on this machine, with checkpoints that have ONNX files, and transformers.js set up for it. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { env, LogLevel } from '@huggingface/transformers';
import { afterAll, beforeAll } from 'vitest';
import { publicModel } from '../model/fixtures/golden';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** The folder of a checkpoint that there is an ONNX graph of, and the graph, which takes its weights from model.safetensors. */
export const checkpoint = (name: string): { folder: string; graph: string } =>
  name === 'nano' || name === 'nano-embed'
    ? { folder: publicModel(name), graph: join(publicModel(name), 'onnx/model.onnx') }
    : {
        folder: path(`../reference/fixtures/${name}`),
        graph: path(`../transformers/fixtures/${name}.onnx`),
      };

/** A repository: a checkpoint with other files in place of its own (undefined: there is no such file), and other fields of its config.json. */
export interface Repository {
  of: string;
  files?: Record<string, object | Uint8Array | undefined>;
  change?: object;
}

/** The bytes of a file as the Hub would have it, with the name that transformers.js gives to external weights; undefined if there is none. */
export function readFrom({ of, files = {}, change }: Repository, file: string): Uint8Array | undefined {
  if (Object.hasOwn(files, file)) {
    const own = files[file];
    return own instanceof Uint8Array || own === undefined ? own : Buffer.from(JSON.stringify(own));
  }
  const { folder, graph } = checkpoint(of);
  if (file === 'onnx/model.onnx_data') return readFileSync(join(folder, 'model.safetensors'));
  if (file === 'onnx/model.onnx') {
    const bytes = readFileSync(graph).toString('latin1');
    return Buffer.from(bytes.replaceAll('model.safetensors', './model.onnx_data'), 'latin1');
  }
  if (file === 'config.json') {
    const config = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    const external = { 'transformers.js_config': { use_external_data_format: { 'model.onnx': 1 } } };
    return Buffer.from(JSON.stringify({ ...config, ...external, ...change }));
  }
  const at = normalize(join(folder, file));
  return at.startsWith(folder) && existsSync(at) && statSync(at).isFile() ? readFileSync(at) : undefined;
}

export const hub = { url: '', repositories: {} as Record<string, Repository>, requests: [] as string[] };

/** Starts the mirror for this test file. transformers.js keeps what it loads in a folder of this file's. */
export function useHub(repositories: Record<string, Repository>): void {
  const cacheDir = mkdtempSync(join(tmpdir(), 'modernbert-fallback-'));
  const server = createServer((request, response) => {
    const [, id = '', file = ''] = /^\/([\w-]+\/[\w-]+)\/resolve\/main\/(.*)$/.exec(request.url ?? '') ?? [];
    hub.requests.push(`${request.method} ${request.url}`);
    const repository = hub.repositories[id];
    const bytes = repository && readFrom(repository, file);
    if (!bytes) response.writeHead(404).end('Entry not found');
    else response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
  });
  beforeAll(async () => {
    hub.repositories = repositories;
    Object.assign(env, { allowLocalModels: false, cacheDir, logLevel: LogLevel.NONE });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    hub.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
    rmSync(cacheDir, { recursive: true });
  });
}
