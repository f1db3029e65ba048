import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ModelFileError } from '../api/errors';
import { listCheckpointFiles } from '../formats/checkpoint';
import type { ModelFiles } from '../formats/model-files';
import { readSentence } from '../model/fixtures/sentence';
import { folderFiles } from './folder';
import { openFiles } from './source';

/** Names that would leave the folder in some kind of source, or on some system. */
const OUTSIDE = [
  '../secret',
  'a/../../secret',
  '..',
  '.',
  './secret',
  '',
  'a//secret',
  'a/',
  '/secret',
  '//host/secret',
  'http://host/secret',
  'HTTPS:secret',
  'file:///secret',
  'data:,x',
  'C:\\secret',
  'C:secret',
  '..\\secret',
  '\\\\host\\secret',
  '%2e%2e/secret',
  '.%2E/secret',
  'a%2f..%2f..%2fsecret',
  '..%5csecret',
  '%252e%252e/secret',
  '.. /secret',
  '.../secret',
  'a\0b',
  'a\nb',
  '\ud800',
];

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'names-'));
  await mkdir(join(root, 'model', 'a'), { recursive: true });
  await writeFile(join(root, 'secret'), 'secret');
  await writeFile(join(root, 'model', 'config.json'), '{}');
});
afterAll(() => rm(root, { recursive: true }));
afterEach(() => vi.unstubAllGlobals());

/** Files of a checkpoint with this content, in every kind of source, and what was asked of the network. */
async function sourcesOf(json: Record<string, unknown>) {
  const texts = Object.entries(json).map(([name, value]) => [name, JSON.stringify(value)] as const);
  for (const [name, text] of texts) await writeFile(join(root, 'model', name), text);
  const asked: string[] = [];
  vi.stubGlobal('fetch', async (url: string) => {
    asked.push(url);
    const found = texts.find(([name]) => new URL(url).pathname.endsWith(`/${name}`));
    return found ? new Response(found[1]) : new Response('', { status: 404 });
  });
  const blobs = new Map(texts.map(([name, text]) => [name, new Blob([text])]));
  for (const name of OUTSIDE) blobs.set(name, new Blob(['secret']));
  const sources: Record<string, ModelFiles> = {
    hub: openFiles('org/name', { hubUrl: 'http://hub.test' }),
    url: openFiles('http://files.test/model?key=1'),
    folder: openFiles(join(root, 'model'), { folder: folderFiles }),
    blobs: openFiles(blobs),
  };
  return { sources, asked };
}

const MODEL = 'sentence_transformers.models.';

describe.each(OUTSIDE)('the name %j', (name) => {
  it('opens nothing, in any kind of source', async () => {
    const { sources, asked } = await sourcesOf({});
    for (const [kind, files] of Object.entries(sources)) {
      const opening = files.open(name);
      await expect(opening, kind).rejects.toBeInstanceOf(ModelFileError);
      await expect(opening, kind).rejects.toThrow(`${JSON.stringify(name)} cannot be a file of ${files.where}`);
    }
    expect(asked).toEqual([]);
  });

  it('is refused in modules.json and in the index of the weights, which the message names', async () => {
    const { sources, asked } = await sourcesOf({
      'config.json': {},
      'modules.json': [
        { type: `${MODEL}Transformer`, path: '' },
        { type: `${MODEL}Pooling`, path: name },
      ],
      'model.safetensors.index.json': { weight_map: { t: name } },
    });
    for (const [kind, files] of Object.entries(sources)) {
      const modules = readSentence(files);
      await expect(modules, kind).rejects.toBeInstanceOf(ModelFileError);
      await expect(modules, kind).rejects.toThrow(
        `modules.json: [1].path must be a folder of this checkpoint, it is ${JSON.stringify(name)}.`,
      );
      const index = listCheckpointFiles(files);
      await expect(index, kind).rejects.toBeInstanceOf(ModelFileError);
      await expect(index, kind).rejects.toThrow(/^model\.safetensors\.index\.json in .*: weight_map must be/);
      await expect(index, kind).rejects.toThrow(`it is {"t":${JSON.stringify(name)}}`);
    }
    const paths = asked.map((url) => new URL(url).pathname.replace(/^.*\/(model|resolve\/main)\//, ''));
    expect(new Set(paths)).toEqual(
      new Set([
        '/api/models/org/name/revision/main',
        'config.json',
        'config_sentence_transformers.json',
        'sentence_bert_config.json',
        'modules.json',
        'model.safetensors',
        'model.safetensors.index.json',
      ]),
    );
  });
});

it.each([
  'config.json',
  '1_Pooling/config.json',
  'a b#1?.json',
  '.hidden/..a/b..',
  'ä/🤗',
  '1_pylate.models.Dense.Dense/x',
])('the name %j is fine', async (name) => {
  const files = openFiles(
    new Map([
      [name, new Blob(['x'])],
      ['config.json', new Blob()],
    ]),
  );
  expect(await files.open(name)).toBeDefined();
});

it('a long name is cut in the message', async () => {
  const files = openFiles({ 'config.json': new Blob() });
  await expect(files.open(`${'x'.repeat(99)}\n${'y'.repeat(1e6)}`)).rejects.toThrow(/^"x{99}\\n" cannot be a file/);
});
