import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ModelFileError } from '../api/errors';
import { listCheckpointFiles } from '../formats/checkpoint';
import { safetensorsBytes } from '../formats/fixtures';
import { readJson } from '../formats/read';
import { readSafetensors } from '../formats/safetensors';
import { MODES, noise, pageFetch, SIGNATURE, startFaulty } from './fixtures';
import { openFiles } from './source';

const SECRET = 'Signature=f00d5ec2e7';
const CONFIG = { model_type: 'modernbert' };
const DATA = noise(200_000);
const FILES = {
  'config.json': new TextEncoder().encode(JSON.stringify(CONFIG)),
  'model.safetensors': safetensorsBytes({ t: { dtype: 'U8', shape: [200_000], data_offsets: [0, 200_000] } }, DATA),
};

let server: Awaited<ReturnType<typeof startFaulty>>;
beforeAll(async () => {
  server = await startFaulty(FILES);
});
afterEach(() => vi.unstubAllGlobals());
afterAll(() => server.close());

/** A load, as far as the network is concerned: a required file, an optional one that is not there, the weights. */
async function load(mode: string) {
  const stallTimeout = mode.startsWith('stalls') ? 200 : undefined;
  const files = openFiles(`${server.url(mode)}?${SECRET}`, { retryDelay: 1, stallTimeout });
  const config = await readJson(files, 'config.json', { required: true });
  const modules = await readJson(files, 'modules.json');
  const { names, open } = await listCheckpointFiles(files);
  const data: Uint8Array[] = [];
  await readSafetensors(await open(names[0]), {
    header: (tensors) => new Set(tensors.map(({ name }) => name)),
    chunk: (_, __, bytes) => void data.push(bytes.slice()),
  });
  return { config, modules, data: Buffer.concat(data) };
}

async function check(mode: string) {
  const [outcome] = MODES[mode];
  const result = await load(mode).catch((error: unknown) => error);
  if (outcome === 'right') {
    if (result instanceof Error) throw result;
    const { config, modules, data } = result as Awaited<ReturnType<typeof load>>;
    expect({ config, modules }).toEqual({ config: CONFIG, modules: undefined });
    expect(Buffer.compare(data, DATA)).toBe(0);
  } else {
    expect(result).toBeInstanceOf(ModelFileError);
    expect((result as Error).message).toMatch(outcome);
  }
  const asked = server.requests.filter((request) => request.mode === mode);
  expect(asked.length).toBeLessThan(20 + (mode === 'redirects for ever' ? 100 : 0));
  const all = inspect(result, { depth: 20, showHidden: true });
  for (const secret of [SECRET, SIGNATURE]) expect(all).not.toContain(secret.split('=')[1]);
}

describe('a checkpoint on a server that goes wrong', () => {
  /** Those that wait are checked together, apart from those that compute. */
  const checkAll = async () => {
    server.reset();
    const failures: [mode: string, error: string][] = [];
    const run = (mode: string) => check(mode).catch((error: unknown) => failures.push([mode, String(error)]));
    const isWaiting = (mode: string) => mode.startsWith('stalls');
    for (const mode of Object.keys(MODES)) if (!isWaiting(mode)) await run(mode);
    await Promise.all(Object.keys(MODES).filter(isWaiting).map(run));
    expect(failures).toEqual([]);
  };

  it('has right bytes or a named error without a secret, seen from Node', checkAll);

  it('and from a page of another origin', async () => {
    vi.stubGlobal('fetch', pageFetch(fetch));
    await checkAll();
  });
});
