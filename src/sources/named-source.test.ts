import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { folderFiles } from './folder';
import { namedSource } from './source';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'named-'));
  for (const folder of ['adapter', 'base', 'org/base']) await mkdir(join(root, folder), { recursive: true });
});
afterAll(() => rm(root, { recursive: true }));

it('on a disk is a folder beside it, else at its path, else on the Hub', () => {
  const named = (name: string) => namedSource(name, join(root, 'adapter'), { folder: folderFiles });
  expect(named('base')).toBe(`${join(root, 'adapter')}/../base`);
  expect(named('./base/')).toBe(`${join(root, 'adapter')}/../base`);
  expect(named('org/base')).toBe(`${join(root, 'adapter')}/../org/base`);
  expect(named(join(root, 'base'))).toBe(join(root, 'base'));
  expect(named('org/other')).toBe('org/other');
  expect(named('other')).toBeUndefined();
  expect(named('https://example.org/base')).toBeUndefined();
});

it.each([
  ['https://example.org/models/adapter', 'base', 'https://example.org/models/base/'],
  ['https://example.org/models/adapter/?key=1', './base', 'https://example.org/models/base/?key=1'],
  ['https://example.org/adapter', 'org/base', 'org/base'],
  ['https://example.org/adapter', '../base', undefined],
  ['https://example.org/adapter', '/home/me/base', undefined],
  ['https://example.org/adapter', 'https://other.org/base', undefined],
  ['org/adapter', 'org/base', 'org/base'],
  ['org/adapter', 'base', undefined],
  ['org/adapter', '../../etc', undefined],
])('beside %s, %s is %s', (beside, name, source) => {
  const found = namedSource(name, beside, {});
  expect(found && String(found)).toBe(source);
});

it('beside files that were given only the Hub has others', () => {
  const files = { 'adapter_config.json': new Blob() };
  expect([namedSource('org/base', files, {}), namedSource('base', files, {})]).toEqual(['org/base', undefined]);
});
