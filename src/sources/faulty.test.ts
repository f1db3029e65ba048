import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ModelFileError } from '../api/errors';
import { CHECKPOINT, MODES, pageFetch, SIGNATURE, startFaulty } from './fixtures';
import { loadAll } from './test-load';

const SECRET = 'Signature=f00d5ec2e7';

let server: Awaited<ReturnType<typeof startFaulty>>;
beforeAll(async () => {
  server = await startFaulty(CHECKPOINT);
});
afterEach(() => vi.unstubAllGlobals());
afterAll(() => server.close());

async function check(mode: string) {
  const [outcome] = MODES[mode];
  const stallTimeout = mode.startsWith('stalls') ? 200 : undefined;
  const loading = loadAll(`${server.url(mode)}?${SECRET}`, { retryDelay: 1, stallTimeout });
  const result = await loading.catch((error: unknown) => error);
  if (outcome === 'right') {
    if (result instanceof Error) throw result;
    const { config, modules, data } = result as Awaited<typeof loading>;
    expect({ config, modules }).toEqual({ config: { model_type: 'modernbert' }, modules: undefined });
    expect(Buffer.compare(new Uint8Array(data), CHECKPOINT['model.safetensors'].subarray(-200_000))).toBe(0);
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
