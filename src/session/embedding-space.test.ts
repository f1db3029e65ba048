import { cpSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { Model, ModelInfo, ModelSource } from '../api/types';
import type { Pipeline } from '../model/pipeline';
import { loadModel, type NodeLoadOptions } from '../node';
import { site, useServer } from '../sources/test-server';
import { loadModel as loadInPage } from './client';
import { spacesOf } from './embedding-space';
import { openModel } from './open';
import { closePorts, workerDouble } from './worker-double';

useServer();
afterEach(closePorts);

/** A table of tokens, which needs no GPU. */
const FOLDER = fileURLToPath(new URL('../reference/fixtures/static-normalize', import.meta.url));
const OTHER = fileURLToPath(new URL('../reference/fixtures/static-model2vec', import.meta.url));
const COMMIT = 'a1b2c3d4e5f60718293a4b5c6d7e8f9012345678';

/** Its files, as a folder that the user picked or as they are. */
function filesOf(folder: string, picked = ''): Map<string, Blob> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => /\.\w+$/.test(name));
  return new Map(files.map((name) => [`${picked}${name}`, new Blob([readFileSync(join(folder, name))])]));
}

/** A server with the files at any place; as the Hub it lists the commit. */
function serve(folder: string, commit?: string): void {
  const files = filesOf(folder);
  site.behave = async ({ url = '' }, response) => {
    const { pathname } = new URL(url, 'http://x');
    if (commit && pathname.startsWith('/api/models/')) {
      return void response.end(
        JSON.stringify({ sha: commit, siblings: [...files.keys()].map((rfilename) => ({ rfilename })) }),
      );
    }
    const name = [...files.keys()].find((one) => pathname.endsWith(`/${one}`));
    if (!name || (commit && !pathname.includes(commit))) return void response.writeHead(404).end();
    response.end(Buffer.from(await files.get(name)!.arrayBuffer()));
  };
}

async function spaceOf(loading: Promise<Model>, options: object = {}): Promise<string> {
  const model = await loading;
  const { embeddingSpace } = await model.embed('a cat', options);
  await model.dispose();
  return embeddingSpace!;
}
const load = (source: ModelSource, options: NodeLoadOptions = {}) => loadModel(source, { cache: 'none', ...options });

describe('a model of the Hub', () => {
  it('is named by id and commit, alike in Node, in this thread and behind a worker', async () => {
    serve(FOLDER, COMMIT);
    const options = { hubUrl: site.origin, cache: 'none' } as const;
    const here = await spaceOf(loadModel('org/name', options));
    expect(here).toMatch(/^org\/name@a1b2c3d\/float\/mean\/\d+\/unit$/);
    expect(await spaceOf(openModel('org/name', options))).toBe(here);
    const worker = workerDouble((source, given) => openModel(source, given));
    expect(await spaceOf(loadInPage('org/name', { ...options, worker }))).toBe(here);
    serve(FOLDER, `f${COMMIT.slice(1)}`);
    expect(await spaceOf(loadModel('org/name', options))).toBe(here.replace('@a1b2c3d', '@f1b2c3d'));
  });

  it('from the store it has the commit that it was stored with', async () => {
    serve(FOLDER, COMMIT);
    const options = { hubUrl: site.origin, cacheFolder: mkdtempSync(join(tmpdir(), 'modernbert-space-')) };
    const first = await loadModel('org/name', options);
    const { embeddingSpace } = await first.embed('a');
    await first.dispose();
    site.behave = (_, response) => void response.destroy();
    const second = await loadModel('org/name', options);
    expect(second.info.cache.state).toBe('hit');
    expect((await second.embed('a')).embeddingSpace).toBe(embeddingSpace);
    await second.dispose();
  });

  it('of a mirror that says no commit is named by the revision', async () => {
    serve(FOLDER);
    expect(await spaceOf(load('org/name', { hubUrl: site.origin, revision: 'v2' }))).toMatch(/^org\/name@v2\/float\//);
  });
});

describe('a model without a commit', () => {
  it('is named by its last folder, wherever that is, and told from others of this name by config.json', async () => {
    const places = [mkdtempSync(join(tmpdir(), 'one-')), mkdtempSync(join(tmpdir(), 'two-'))].map((top) =>
      join(top, 'my model'),
    );
    cpSync(FOLDER, places[0], { recursive: true });
    cpSync(OTHER, places[1], { recursive: true });
    const [own, other] = await Promise.all(places.map((place) => spaceOf(load(place))));
    expect(own).toMatch(/^my model~[0-9a-f]{8}\/float\/mean\/\d+\/unit$/);
    expect(other.split('/')[0]).not.toBe(own.split('/')[0]);
    expect(await spaceOf(load(`${places[0]}/`))).toBe(own);
    expect(await spaceOf(load(filesOf(FOLDER, 'my model/')))).toBe(own);
    serve(FOLDER);
    expect(await spaceOf(load(`${site.origin}/models/my model/?token=secret`))).toBe(own);
    expect(await spaceOf(load(`${site.origin}/models/100%/`))).toBe(own.replace('my model', '100%'));
  });

  it('and without a name is told from others by its config.json and weights', async () => {
    const own = await spaceOf(load(filesOf(FOLDER)));
    expect(own).toMatch(/^files~[0-9a-f]{16}\/float\//);
    expect(await spaceOf(load(filesOf(FOLDER)))).toBe(own);
    const changed = filesOf(FOLDER);
    const weights = new Uint8Array(await changed.get('model.safetensors')!.arrayBuffer());
    weights[weights.length - 1000 - (weights.length % 4) + 3] ^= 0x80; // a sign
    changed.set('model.safetensors', new Blob([weights]));
    expect(await spaceOf(load(changed))).not.toBe(own);
  });
});

it('survives the worker with its methods, also without rows', async () => {
  const worker = workerDouble((source, given) => openModel(source, given));
  const model = await loadInPage(filesOf(FOLDER, 'static/'), { worker });
  const some = await model.embed(['a cat', 'a dog'], { kind: 'query' });
  expect(some.toArrays()).toEqual([[...some.row(0)], [...some.row(1)]]);
  const none = await model.embed([]);
  expect(none).toMatchObject({ rows: 0, dim: some.dim, embeddingSpace: some.embeddingSpace });
  expect(none.toArrays()).toEqual([]);
  expect(some.embeddingSpace).toMatch(/^static~/);
  await model.dispose();
});

describe('the class of weights', () => {
  const files = { where: 'a test', name: 'model', open: async () => undefined };
  /** Of inputs with these weights; a table has none of its own. */
  async function classOf(...inputs: (Partial<ModelInfo> | 'table')[]): Promise<string> {
    const modules = inputs.map((input, i) => ({
      kind: input === 'table' ? 'StaticEmbedding' : 'Transformer',
      path: `${i}`,
    }));
    const pipeline = { inputs: modules.map((module) => ({ ...module, chains: { any: [] } })) } as unknown as Pipeline;
    const infos = inputs.map(
      (input) => ({ config: {}, dtype: 'q4', ...(input !== 'table' && input) }) as unknown as ModelInfo,
    );
    return (await spacesOf(files, pipeline, infos))({ pooling: 'mean', dim: 1 }).split('/')[1];
  }

  it('f32 and f16 are one, quantised weights and integer arithmetic others', async () => {
    for (const dtype of ['f32', 'f16'] as const) expect(await classOf({ dtype })).toBe('float');
    for (const dtype of ['q8', 'q4'] as const) expect(await classOf({ dtype, compute: 'float' })).toBe(dtype);
    expect(await classOf({ dtype: 'q8', compute: 'int8' })).toBe('q8-int8');
    const byOnnx = { compute: 'float', fallback: 'transformers.js' } as const;
    expect(await classOf({ dtype: 'f16', ...byOnnx })).toBe('float');
    expect(await classOf({ dtype: 'q8', ...byOnnx })).toBe('q8-onnx');
  });

  it('is that of the Transformer beside a table, of a table alone float, and of two Transformers both', async () => {
    expect(await classOf('table', { dtype: 'q8' })).toBe('q8');
    expect(await classOf('table')).toBe('float');
    expect(await classOf({ dtype: 'f16' }, { dtype: 'f32' })).toBe('float');
    expect(await classOf({ dtype: 'f16' }, { dtype: 'q8' })).toBe('float+q8');
  });

  it('a table of tokens keeps its numbers, whatever dtype was asked for', async () => {
    expect(await spaceOf(load(FOLDER, { dtype: 'q8' }))).toBe(await spaceOf(load(FOLDER)));
  });
});
