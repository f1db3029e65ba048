import { inspect } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { CacheMode, ModelSource } from '../api/types';
import { readJson } from '../formats/read';
import { absoluteSource } from '../session/to-worker';
import { cachedFiles } from '../store/cache';
import { openFiles } from './source';
import { folderUrl, shownError, shownUrl } from './urls';

const SECRET = 's3cr3t';

describe('shownUrl', () => {
  it.each([
    ['https://host/a/b', 'https://host/a/b'],
    [`https://host/a?sig=${SECRET}#x`, 'https://host/a'],
    [`https://host/a#${SECRET}?x`, 'https://host/a'],
    [`https://user:${SECRET}@host/a@b`, 'https://host/a@b'],
    [`https://${SECRET}@@host`, 'https://host'],
    [`https:user:${SECRET}@host/`, 'https:host/'],
    [`https:\\\\user:${SECRET}@host\\a`, 'https:\\\\host\\a'],
    [`/a/b@c?${SECRET}\n${SECRET}`, '/a/b@c'],
    ['./a@b/c', './a@b/c'],
  ])('%j', (url, shown) => expect(shownUrl(url)).toBe(shown));
});

it('shownError cuts URLs in every text of the chain, and keeps no other properties', () => {
  const address = `https://u:${SECRET}@host/a?sig=(${SECRET})`;
  const inner = Object.assign(new TypeError(`Invalid URL ${address}`), { input: address, code: 'ERR_INVALID_URL' });
  const shown = shownError(new Error(`error sending request for url (${address})`, { cause: inner }));
  expect(shown.message).toBe('error sending request for url (https://host/a');
  expect(shown.cause).toMatchObject({ name: 'TypeError', message: 'Invalid URL https://host/a' });
  expect(inspect(shown, { depth: 9, showHidden: true })).not.toContain(SECRET);
  expect(shownError(Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })).message).toBe('ECONNREFUSED');
  expect(shownError('odd').message).toBe('odd');
});

describe('an address that cannot be one', () => {
  it.each<[string, ModelSource, object, string]>([
    ['credentials in a URL', `https://user:${SECRET}@host/a`, {}, 'contains a user name or password'],
    ['only a user', `https://${SECRET}@host/a`, {}, 'contains a user name or password'],
    ['no page', `./a?sig=${SECRET}`, {}, 'The model source "./a" is not an absolute URL'],
    ['a host that is none', `https://[?sig=${SECRET}`, {}, 'The model source "https://[" is not an absolute URL'],
    ['no source', `hf:a/b?sig=${SECRET}`, {}, 'Not a model source: "hf:a/b"'],
    ['a drive of Windows', 'C:\\models\\a', {}, 'Not a model source: "C:\\\\models\\\\a"'],
    ['a file', `file:///home/a?${SECRET}`, {}, '"file:///home/a" is no folder that a page can fetch. Serve it'],
    ['a file in hubUrl', 'org/name', { hubUrl: 'file:///a' }, 'hubUrl "file:///a" is no folder that a page can fetch'],
    ['a data URL', `data:text/json,{"a":1}#${SECRET}`, {}, 'is no folder that a page can fetch'],
    ['a script', 'javascript:alert(1)', {}, 'is no folder that a page can fetch'],
    ['a script that looks like an address', 'javascript://a/%0aalert(1)', {}, 'is no folder'],
    ['a Blob', 'blob:https://host/4d1f', {}, 'is no folder'],
    ['a long one', 'x y'.repeat(1000), {}, 'Not a model source: "x yx y'],
    ['credentials in hubUrl', 'org/name', { hubUrl: `https://u:${SECRET}@host` }, 'hubUrl "https://host" contains'],
    ['the Hub as a user', 'org/name', { hubUrl: 'https://huggingface.co@host' }, 'hubUrl "https://host" contains'],
    ['a query in hubUrl', 'org/name', { hubUrl: `https://host?${SECRET}` }, 'hubUrl must not have a query'],
    ['a fragment in hubUrl', 'org/name', { hubUrl: `https://host#${SECRET}` }, 'hubUrl must not have a query'],
    ['another scheme', 'org/name', { hubUrl: 'mailto:a' }, 'hubUrl "mailto:a" is no folder'],
    ['no scheme', 'org/name', { hubUrl: 'huggingface.co' }, 'hubUrl "huggingface.co" is not an absolute URL'],
    ['an empty hubUrl', 'org/name', { hubUrl: '' }, 'hubUrl "" is not an absolute URL'],
    ['an empty revision', 'org/name', { revision: '' }, 'revision "" is not the name of'],
    ['half a character', 'org/name', { revision: '\ud800' }, 'is not the name of a branch'],
  ])('is a TypeError without a secret: %s', (_, source, options, message) => {
    const open = () => openFiles(source, options);
    expect(open).toThrow(TypeError);
    expect(open).toThrow(message);
    let error: unknown;
    try {
      open();
    } catch (thrown) {
      error = thrown;
    }
    expect((error as Error).message.length).toBeLessThan(400);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(SECRET);
  });

  it('folderUrl resolves what is one', () => {
    expect(folderUrl('x', 'https://host/a?b').href).toBe('https://host/a?b');
    expect(folderUrl('x', 'HTTP://host/a').href).toBe('http://host/a');
  });
});

it.each([0, -1, Number.NaN, '60', null])('stallTimeout %j is a RangeError', (stallTimeout) => {
  const open = () => openFiles('org/name', { stallTimeout: stallTimeout as number });
  expect(open).toThrow(RangeError);
  expect(open).toThrow('stallTimeout must be milliseconds above 0, or Infinity');
  for (const right of [1, Infinity, undefined]) expect(openFiles('org/name', { stallTimeout: right })).toBeDefined();
});

describe('addresses of apps that bring their files along', () => {
  const ID = 'chrome-extension://abcdefghijklmnop';
  const asked: string[] = [];
  /** As fetch is there: a file that does not exist has no status. */
  const extension = async (url: string | URL | Request) => {
    asked.push(String(url));
    if (new URL(String(url)).pathname.endsWith('/config.json')) return new Response('{"model_type":"bert"}');
    throw new TypeError('Failed to fetch');
  };
  afterEach(() => {
    asked.length = 0;
    vi.unstubAllGlobals();
  });

  it.each([
    [`${ID}/models/x/`, `${ID}/models/x/`],
    [`${ID}/models/x?a#b`, `${ID}/models/x/`],
    ['moz-extension://6d5fc0e5-71cc/models/x', 'moz-extension://6d5fc0e5-71cc/models/x/'],
    ['capacitor://localhost/models/x', 'capacitor://localhost/models/x/'],
    ['app://bundle/x', 'app://bundle/x/'],
    ['tauri://localhost', 'tauri://localhost/'],
  ])('%s is a folder', async (source, folder) => {
    vi.stubGlobal('fetch', extension);
    const files = openFiles(source);
    expect([files.where, files.identity]).toEqual([folder, { source: folder }]);
    expect(await readJson(files, 'config.json')).toEqual({ model_type: 'bert' });
    expect(asked).toEqual([`${folder}config.json${new URL(source).search}`]);
    expect(absoluteSource(source)).toBe(source);
  });

  it('a file that is not there counts as missing at once, also a required one', async () => {
    vi.stubGlobal('fetch', extension);
    const files = openFiles(`${ID}/x`, { retryDelay: 60_000 });
    expect(await readJson(files, 'modules.json')).toBeUndefined();
    expect(files.isUnsure?.('modules.json')).toBe(false);
    await expect(readJson(files, 'tokenizer.json', { required: true })).rejects.toThrow(
      `There is no tokenizer.json in ${ID}/x/: TypeError: Failed to fetch.`,
    );
    expect(asked).toEqual([`${ID}/x/modules.json`, `${ID}/x/tokenizer.json`]);
  });

  it('a path is relative to the page of the extension, or to its service worker, which has no document', async () => {
    vi.stubGlobal('fetch', extension);
    vi.stubGlobal('location', { href: `${ID}/background/worker.js` });
    expect(openFiles('../models/x').where).toBe(`${ID}/models/x/`);
    expect(absoluteSource('../models/x')).toBe(`${ID}/models/x`);
    vi.stubGlobal('document', { baseURI: `${ID}/popup/index.html` });
    expect(openFiles('./x').where).toBe(`${ID}/popup/x/`);
    expect(absoluteSource('/models/x/')).toBe(`${ID}/models/x/`);
  });

  it.each<[string, CacheMode, boolean]>([
    [`${ID}/x`, 'auto', false],
    [`${ID}/x`, 'always', true],
    ['capacitor://localhost/x', 'auto', false],
    ['https://other.example/x', 'auto', true],
    ['https://page.example/x', 'auto', false],
  ])('%s with cache %s: stored %s', async (source, cache, stored) => {
    vi.stubGlobal('location', { origin: 'https://page.example', href: 'https://page.example/' });
    const opened = vi.fn(async () => undefined);
    const files = await cachedFiles(openFiles(source), { cache, store: opened });
    expect(opened.mock.calls.length > 0).toBe(stored);
    const use = await files.finish('f32');
    expect(use.state).toBe(stored ? 'failed' : 'off'); // there is no store
  });
});
