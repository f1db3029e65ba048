import { expect, it } from 'vitest';
import type { CachedModel } from '../../src/index';
import { draftsIn, keptName, listOf, type Part, type Stored, sum } from './storage';

const model = (bytes: number) => ({ source: 'org/name', dtype: 'f16', bytes }) as CachedModel;
const part = (what: string, bytes: number | undefined): Part => ({
  name: what,
  what,
  bytes,
  isOwn: true,
  remove: async () => {},
});

it('counts what the page keeps in localStorage, and nothing of other pages', () => {
  // 28 and 5 UTF-16 code units, and 21 and 2, of two bytes each.
  const entries = { 'modernbert-webgpu/tab/search': 'q=ä😀', 'modernbert-webgpu/one': 'ab', 'other page': 'x' };
  expect(draftsIn(entries)).toEqual({
    keys: ['modernbert-webgpu/tab/search', 'modernbert-webgpu/one'],
    bytes: 2 * (28 + 5 + 21 + 2),
  });
  expect(draftsIn({})).toEqual({ keys: [], bytes: 0 });
});

it('adds sizes up, of which some are not known', () => {
  expect(sum([1, undefined, 2])).toBe(3);
  expect(sum([])).toBe(0);
});

it('names what goes with everything', () => {
  const stored: Stored = {
    models: [model(20e6), model(10.1e6)],
    parts: [part('1 search index', undefined), part('the copy of this page', 31e6)],
    total: 70e6,
  };
  expect(listOf(stored)).toBe('2 models (30.1 MB), 1 search index, and the copy of this page (31.0 MB)');
  expect(listOf({ ...stored, parts: [] })).toBe('2 models (30.1 MB)');
});

it("names the page's own models without their address", () => {
  expect(keptName({ source: 'https://example.org/page/models/nano' })).toBe('models/nano');
  expect(keptName({ source: 'org/name' })).toBe('org/name');
});
