import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { readBytes, readJson } from '../formats/read';
import { hubFiles } from './hub';
import { BYTES, cutting, sha256, site, useServer } from './test-server';

useServer();

describe('the Hub', () => {
  const SIBLINGS = [
    { rfilename: 'config.json', size: 2 },
    { rfilename: 'a.bin', size: 300_000, lfs: { sha256: sha256(BYTES) } },
  ];
  const open = (token?: string) => hubFiles('org/name', { hubUrl: site.origin, token, retryDelay: 1 });
  const paths = () => site.requests.map(({ url }) => url);

  it('resolves the commit once, and reads every file from it', async () => {
    site.behave = ({ url }, response) => {
      if (url?.startsWith('/api/')) response.end(JSON.stringify({ sha: 'c1', siblings: SIBLINGS }));
      else response.end(url?.endsWith('a.bin') ? BYTES : '{}');
    };
    const files = open();
    await Promise.all(['config.json', 'a.bin', 'none.json'].map((name) => readBytes(files, name)));
    expect(files.identity).toEqual({ source: 'org/name', hubUrl: site.origin, revision: 'main', commit: 'c1' });
    expect(files.whyMissing?.('none.json')).toBe('commit c1 has no such file');
    expect(paths().sort()).toEqual([
      '/api/models/org/name/revision/main?blobs=true',
      '/org/name/resolve/c1/a.bin',
      '/org/name/resolve/c1/config.json',
    ]);
  });

  it.each([
    ['with its list of files', true],
    ['of a mirror without the list', false],
  ])("reads a pull request's revision, %s", async (_, hasList) => {
    site.behave = ({ url }, response) => {
      if (url?.startsWith('/api/')) {
        if (hasList) response.end(JSON.stringify({ sha: 'c3', siblings: SIBLINGS }));
        else response.writeHead(404).end();
      } else response.setHeader('x-repo-commit', 'c3').end('{}');
    };
    const files = hubFiles('org/name', { hubUrl: site.origin, revision: 'refs/pr/3', retryDelay: 1 });
    expect(await readJson(files, 'config.json')).toEqual({});
    expect(files.identity).toMatchObject({ revision: 'refs/pr/3', commit: 'c3' });
    expect(files.where).toBe(`${site.origin}/org/name (refs/pr/3)`);
    expect(paths()).toEqual([
      '/api/models/org/name/revision/refs%2Fpr%2F3?blobs=true',
      `/org/name/resolve/${hasList ? 'c3' : 'refs%2Fpr%2F3'}/config.json`,
    ]);
  });

  it('has sizes and sha256, which are checked', async () => {
    site.behave = ({ url }, response) => {
      if (url?.startsWith('/api/')) response.end(JSON.stringify({ sha: 'c1', siblings: SIBLINGS }));
      else response.setHeader('etag', '"1"').end(url?.endsWith('a.bin') ? BYTES.toReversed() : '{"a":1}');
    };
    await expect(readBytes(open(), 'a.bin')).rejects.toThrow('its sha256 is');
    await expect(readBytes(open(), 'config.json')).rejects.toThrow('goes on after the 2 bytes');
  });

  it('may be a mirror without the list of files', async () => {
    let commit = 'c1';
    site.behave = ({ url }, response) => {
      if (url?.startsWith('/api/')) response.writeHead(404).end();
      else response.setHeader('x-repo-commit', commit).end('{}');
    };
    const files = open();
    for (const name of ['config.json', 'tokenizer.json']) await readBytes(files, name);
    expect(files.identity?.commit).toBe('c1');
    expect(paths().slice(1)).toEqual(['/org/name/resolve/main/config.json', '/org/name/resolve/c1/tokenizer.json']);
    commit = 'c2';
    await expect(files.open('model.safetensors')).rejects.toThrow('came from commit c2, not from c1');
  });

  it('names a file that its list has and that it does not give', async () => {
    for (const [status, message] of [
      [404, /^Commit c1 has a a\.bin, but HTTP 404 for .*a\.bin\.$/],
      [403, /^HTTP 403 for .*a\.bin\. The model may be/],
    ] as const) {
      site.behave = ({ url }, response) => {
        if (url?.startsWith('/api/')) response.end(JSON.stringify({ sha: 'c1', siblings: SIBLINGS }));
        else response.writeHead(status).end();
      };
      await expect(open().open('a.bin', undefined, true)).rejects.toThrow(message);
    }
  });

  it.each([
    ['null', null],
    ['a list', []],
    ['no names', { sha: 'c1', siblings: [null, 7] }],
    ['a number for a name', { sha: 'c1', siblings: [{ rfilename: 7 }] }],
    ['a number for the commit', { sha: 1, siblings: [] }],
  ])('may send anything as its list (%s): the files are read without it', async (_, list) => {
    site.behave = ({ url }, response) => response.end(url?.startsWith('/api/') ? JSON.stringify(list) : BYTES);
    expect(await readBytes(open(), 'a.bin')).toHaveLength(300_000);
  });

  it('may send no sizes or odd ones, which are not believed', async () => {
    const odd = [-1, 0.5, '300000', null].map((size, i) => ({ rfilename: `${i}`, size, lfs: { sha256: 'x' } }));
    site.behave = ({ url }, response) =>
      response.end(url?.startsWith('/api/') ? JSON.stringify({ sha: 'c1', siblings: odd }) : BYTES);
    const files = open();
    for (const { rfilename } of odd) expect(await readBytes(files, rfilename)).toHaveLength(300_000);
  });

  // This proves it for the fetch of the Node that runs the test; browsers do the same by specification (HTTP-redirect fetch, step 13).
  it('gets the token, but the storage that it redirects to does not, also when a download resumes', async () => {
    const seen: (string | undefined)[] = [];
    const cut = cutting([130_000]);
    const storage = createServer((request, response) => {
      seen.push(request.headers.authorization, request.headers.cookie);
      cut(request, response);
    }).listen(0, '127.0.0.1');
    await once(storage, 'listening');
    const { port } = storage.address() as AddressInfo;
    site.behave = ({ url }, response) => {
      if (url?.startsWith('/api/')) response.end(JSON.stringify({ sha: 'c1', siblings: SIBLINGS }));
      else response.writeHead(302, { location: `http://127.0.0.1:${port}/blob` }).end();
    };
    expect(await readBytes(open('hf_secret'), 'a.bin')).toHaveLength(300_000);
    expect(site.requests.map(({ headers }) => headers.authorization)).toEqual(Array(3).fill('Bearer hf_secret'));
    expect(seen).toEqual(Array(4).fill(undefined));
    storage.close();
  });
});
