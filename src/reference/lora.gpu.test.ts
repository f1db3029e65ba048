/** Checkpoints with LoRA adapters, as peft and sentence-transformers have saved them, and what those libraries compute. */
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { Model } from '../api/types';
import { withLosses } from '../gpu/fixtures';
import { maxDifference } from '../model/fixtures/golden';
import { listCached, type NodeLoadOptions } from '../node';
import { loadTestModel, withModel } from '../session/fixtures';

const folderOf = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));

interface Expected {
  calls: {
    texts: (string | string[])[];
    ids: number[][];
    rows: number[][];
    values: number[][] & number[][][];
    tolerance: number;
  }[];
}
const expectedOf = (name: string): Expected =>
  JSON.parse(readFileSync(`${folderOf(name)}/expected.json`, 'utf8')) as Expected;

const F32 = { dtype: 'f32', arithmetic: 'f32' } as const;
const floats = (values: number[][]) => Float32Array.from(values.flat());

/** The rows of last_hidden_state that are known, of all sequences. */
async function hiddenRows(model: Model, { ids, rows }: Expected['calls'][number]): Promise<Float32Array> {
  const found: number[] = [];
  for (const [i, sequence] of ids.entries()) {
    const batch = { inputIds: Uint32Array.from(sequence), lengths: Uint32Array.of(sequence.length) };
    const { last_hidden_state } = await model.forward(batch, { outputs: ['last_hidden_state'], rows: rows[i] });
    found.push(...last_hidden_state!.data);
  }
  return Float32Array.from(found);
}

const encoder = expectedOf('peft-lora-encoder');
const [first, second] = encoder.calls;
const ENCODER = folderOf('peft-lora-encoder');
const [BASE, ONE, TWO] = ['base', 'adapter', 'adapter-2'].map((name) => `${ENCODER}/${name}`);

async function expectLogits(model: Model) {
  const [{ texts, values, tolerance }] = expectedOf('peft-lora').calls;
  for (const [i, text] of texts.entries()) {
    if (text[0] === '') continue;
    const pair = text.length > 1 ? { text: text[0], pair: text[1] } : text[0];
    const scores = await model.classify(pair as string, { raw: true, truncate: true });
    expect(scores.map(({ label }) => label).sort()).toEqual(['LABEL_0', 'LABEL_1', 'LABEL_2']);
    const logits = values[i].map((_, l) => scores.find(({ label }) => label === `LABEL_${l}`)!.score);
    expect(maxDifference(Float32Array.from(logits), Float32Array.from(values[i]))).toBeLessThanOrEqual(tolerance);
  }
}

describe('a classifier that peft made of an encoder', () => {
  const folder = folderOf('peft-lora');

  it('loads by its own folder, with the base that it names beside it', () =>
    withModel(`${folder}/adapter`, F32, async (model) => {
      expect(model.info).toMatchObject({ task: 'seqcls', labels: ['LABEL_0', 'LABEL_1', 'LABEL_2'] });
      await expectLogits(model);
    }));

  it('loads as an option of its base', () =>
    withModel(`${folder}/base`, { ...F32, adapter: `${folder}/adapter` }, expectLogits));
});

it.each([
  ['plain', ONE, first],
  ['rslora with other ranks', TWO, second],
] as const)("an encoder's adapter, %s", (_, adapter, call) =>
  withModel(BASE, { ...F32, adapter }, async (model) => {
    expect(maxDifference(await hiddenRows(model, call), floats(call.values.flat()))).toBeLessThanOrEqual(
      call.tolerance,
    );
  }),
);

it("sentence-transformers' folder has its modules and names its base", () => {
  const [{ texts, values, tolerance }] = expectedOf('st-lora').calls;
  return withModel(`${folderOf('st-lora')}/adapter`, F32, async (model) => {
    expect(model.info.pooling).toEqual(['mean']);
    for (const [i, text] of texts.entries()) {
      if (text === '') continue;
      const { data } = await model.embed(text as string, { truncate: true });
      expect(maxDifference(data, Float32Array.from(values[i]))).toBeLessThanOrEqual(tolerance);
    }
  });
});

describe('several adapters', () => {
  const adapters = { one: ONE, two: TWO };
  const options = (dtype: NodeLoadOptions['dtype']): NodeLoadOptions => ({ dtype, arithmetic: 'f32' });

  it.each(['f32', 'f16', 'q8', 'q4'] as const)('in turn give the bits of a fresh load, in %s', async (dtype) => {
    const fresh = new Map<string | undefined, Float32Array>();
    for (const [name, adapter] of [
      ['one', ONE],
      ['two', TWO],
      [undefined, undefined],
    ] as const) {
      await withModel(BASE, { ...options(dtype), adapter }, async (model) =>
        fresh.set(name, await hiddenRows(model, first)),
      );
    }
    expect(maxDifference(fresh.get('one')!, fresh.get('two')!)).toBeGreaterThan(0.01);
    await withModel(BASE, { ...options(dtype), adapters, adapter: 'one' }, async (model) => {
      for (const name of ['one', 'two', undefined, 'two', 'one']) {
        const info = await model.setAdapter(name);
        expect([info.loraAdapter, model.info.loraAdapter, model.info.dtype]).toEqual([name, name, dtype]);
        expect(await hiddenRows(model, first)).toEqual(fresh.get(name));
      }
    });
  });

  it('that change while calls are under way: each call runs with what it was made with', async () => {
    const model = await loadTestModel(BASE, { ...F32, adapters });
    const one = { ...first, ids: first.ids.slice(1, 2), rows: first.rows.slice(1, 2) }; // one pass each
    const two = { ...second, ids: second.ids.slice(1, 2), rows: second.rows.slice(1, 2) };
    const before = hiddenRows(model, one);
    const changes = [model.setAdapter('one')];
    const between = hiddenRows(model, one);
    changes.push(model.setAdapter('two'));
    const after = hiddenRows(model, two);
    await Promise.all(changes);
    expect(maxDifference(await between, floats(first.values[1]))).toBeLessThanOrEqual(first.tolerance);
    expect(maxDifference(await after, floats(second.values[1]))).toBeLessThanOrEqual(second.tolerance);
    expect(maxDifference(await before, await between)).toBeGreaterThan(0.01);

    await expect(model.setAdapter('three')).rejects.toThrow("adapter must be one of one, two; it is 'three'.");
    const aborted = new AbortController();
    const stopped = model.setAdapter('one');
    const waiting = hiddenRows(model, one);
    const ended = model.embed('a', { signal: aborted.signal });
    aborted.abort();
    await expect(ended).rejects.toMatchObject({ name: 'AbortError' });
    await model.dispose();
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    expect(model.memory().weights).toBe(0);
  });

  it('of other kinds: a head comes and goes', async () => {
    const folder = folderOf('peft-lora');
    await withModel(`${folder}/base`, { ...F32, adapters: { classes: `${folder}/adapter` } }, async (model) => {
      expect(model.info).toMatchObject({ task: 'encoder', labels: [], loraAdapters: ['classes'] });
      await model.setAdapter('classes');
      expect(model.info.task).toBe('seqcls');
      await expectLogits(model);
      await model.setAdapter();
      expect(model.info).toMatchObject({ task: 'encoder', labels: [] });
    });
  });
});

describe('on the Hub', () => {
  const servers: Server[] = [];
  afterAll(() => {
    for (const server of servers) server.close();
  });

  /** Serves a folder for each revision of a repository, `org/name@main`, by the path that the Hub has for it. */
  async function hub(folders: Record<string, string>) {
    const asked: string[] = [];
    const commits = new Map<string, string>();
    const server = createServer((request, response) => {
      const path = request.url!.replace(/\?.*/, '');
      asked.push(path);
      const [, id, revision] = /^\/api\/models\/(\w+\/\w+)\/revision\/([^/]+)$/.exec(path) ?? [];
      const listed = folders[`${id}@${decodeURIComponent(revision)}`];
      if (listed) {
        const sha = `commit${commits.size}`;
        commits.set(`/${id}/resolve/${sha}`, listed);
        const siblings = readdirSync(listed).map((rfilename) => ({ rfilename }));
        return void response.end(JSON.stringify({ sha, siblings }));
      }
      const folder = commits.get(dirname(path));
      const file = folder && join(folder, basename(path));
      if (file && existsSync(file)) response.end(readFileSync(file));
      else response.writeHead(404).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push(server);
    return { asked, hubUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  /** A copy of the plain adapter whose file names a base there. */
  function adapterOn(base: string, revision: string | null): string {
    const folder = mkdtempSync(join(tmpdir(), 'lora-'));
    cpSync(ONE, folder, { recursive: true });
    const file = join(folder, 'adapter_config.json');
    const json = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...json, base_model_name_or_path: base, revision }));
    return folder;
  }

  it('an adapter names its base with a revision; both are stored, the base as it is, and serve other adapters', async () => {
    const adapter = adapterOn('org/base', 'refs/pr/3');
    const folders = { 'org/base@refs/pr/3': BASE, 'org/adapter@main': adapter, 'org/two@main': TWO };
    const { asked, hubUrl } = await hub(folders);
    const options = { ...F32, dtype: 'q8', hubUrl, cacheFolder: mkdtempSync(join(tmpdir(), 'lora-store-')) } as const;
    const right = await withModel(BASE, { ...F32, dtype: 'q8', adapter: ONE }, (model) => hiddenRows(model, first));
    const load = (more: NodeLoadOptions = {}) =>
      withModel('org/adapter', { ...options, ...more }, async (model) => {
        expect(await hiddenRows(model, first)).toEqual(right);
        return model.info;
      });
    expect(await load()).toMatchObject({ dtype: 'q8', commit: 'commit1', cache: { state: 'stored' } });
    expect(asked).toContain('/api/models/org/base/revision/refs%2Fpr%2F3');
    const weights = () => asked.filter((path) => path.endsWith('.safetensors'));
    expect(weights()).toEqual([
      '/org/adapter/resolve/commit0/adapter_model.safetensors',
      '/org/base/resolve/commit1/model.safetensors',
    ]);
    asked.splice(0);
    const stored = await listCached(options);
    expect(stored.find(({ source }) => source === 'org/base')).toMatchObject({ dtype: 'f32', revision: 'refs/pr/3' });
    expect((await load()).cache.state).toBe('hit');
    expect(asked).toEqual([]);
    const adapters = { one: 'org/adapter', two: 'org/two' };
    await withModel('org/base', { ...options, revision: 'refs/pr/3', adapters }, async (model) => {
      expect(weights()).toEqual(['/org/two/resolve/commit2/adapter_model.safetensors']);
      asked.splice(0);
      await model.setAdapter('two');
      const two = await hiddenRows(model, first);
      await model.setAdapter('one');
      expect(await hiddenRows(model, first)).toEqual(right);
      expect(maxDifference(two, right)).toBeGreaterThan(0.01);
      expect(asked).toEqual([]);
    });
  });

  it('a loss of the device loads base and adapter again', async () => {
    const { gpu, lose } = withLosses();
    const model = await loadTestModel(BASE, { ...F32, gpu, adapters: { one: ONE }, adapter: 'one' });
    const right = await hiddenRows(model, first);
    lose();
    expect(await hiddenRows(model, first)).toEqual(right);
    await model.dispose();
  });
});

it.each<[string, string, NodeLoadOptions, RegExp]>([
  [
    'a checkpoint that is no adapter',
    BASE,
    { adapter: BASE },
    /There is no adapter_config\.json in .*base\. An adapter is a folder/,
  ],
  [
    'a name that is no adapter',
    BASE,
    { adapters: { one: ONE }, adapter: 'two' },
    /^adapter must be one of one; it is 'two'\.$/,
  ],
  ['a list of adapters', BASE, { adapters: [ONE] as never }, /^adapters must be an object of name → adapter/],
  [
    'an adapter of another base',
    BASE,
    { adapter: `${folderOf('peft-lora')}/adapter` },
    /base has no tensor 'model\.layers\.3\.attn\.Wo\.weight': is it the base/,
  ],
  [
    'a base whose Transformers are in folders',
    folderOf('st-router'),
    { adapter: ONE },
    /^The base in .*st-router has its Transformer in a folder of its own; adapters of such checkpoints are not supported\.$/,
  ],
  [
    'a head that nothing reads',
    `${folderOf('peft-lora')}/base`,
    { adapter: `${folderOf('peft-lora')}/adapter`, task: 'encoder' },
    /nothing reads tensor '(classifier|head)\.\S+' that the adapter adds to the base/,
  ],
])('refuses %s', (_, source, options, message) =>
  expect(loadTestModel(source, { ...F32, ...options })).rejects.toThrow(message),
);

it('a base that is nowhere is named, with the way out', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lora-'));
  cpSync(ONE, folder, { recursive: true });
  const file = join(folder, 'adapter_config.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace('"base"', '"/home/me/base"'));
  await expect(loadTestModel(folder, F32)).rejects.toThrow(
    /names the base "\/home\/me\/base", which is no folder beside it and no model on the Hub\. Load the base, with this folder as the option adapter\.$/,
  );
  expect(await withModel(BASE, { ...F32, adapter: folder }, async (model) => model.info.task)).toBe('encoder');
  await expect(withModel(BASE, F32, (model) => model.setAdapter('one'))).rejects.toThrow(/no adapters to choose from/);
});
