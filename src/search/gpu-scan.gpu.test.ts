import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { WebGPU } from '../api/types';
import { testGpu, withBytes, withLosses, withoutMemoryAt, withShaders } from '../gpu/fixtures';
import { createIndex, type IndexOptions, importIndex, type SearchIndex } from '../search';
import { memoryStore, random, wordModel } from './fixtures';
import { FROM_ROWS, GpuScan } from './gpu-scan';
import { nearest } from './nearest';
import { spansOf } from './spans';
import { VectorTable } from './vector-table';

const { model } = wordModel();
const next = random(1);
const word = () => `w${Math.floor((next() + 1) * 200)}`;
const documents = Array.from({ length: FROM_ROWS + 70 }, (_, i) => ({
  id: `${i}`,
  text: `${word()} ${word()} ${word()}`,
  metadata: { part: i % 3 },
}));
const queries = ['w1 w2', 'w3 w200 w17', documents[77].text];

const made = async (gpu: WebGPU | false, options: IndexOptions = {}): Promise<SearchIndex> => {
  const index = await createIndex(model, { gpu, words: false, chunk: false, ...options });
  await index.add(documents);
  return index;
};
async function until(isSo: () => boolean): Promise<void> {
  for (const end = performance.now() + 20_000; !isSo() && performance.now() < end; ) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(isSo()).toBe(true);
}
const onGpu = (index: SearchIndex) => until(() => index.device === 'gpu');
const answers = (index: SearchIndex) =>
  Promise.all(
    queries.flatMap((query) => [
      index.search(query),
      index.search(query, { topK: 300, filter: ({ part }) => part === 1 }),
    ]),
  );

let expected: Record<'float32' | 'int8', unknown>;
beforeAll(async () => {
  const [float32, int8] = await Promise.all([made(false), made(false, { precision: 'int8' })]);
  expect(float32.device).toBe('cpu');
  expected = { float32: await answers(float32), int8: await answers(int8) };
});
afterEach(() => vi.unstubAllGlobals());

describe.each(['float32', 'int8'] as const)('%s', (precision) => {
  it('answers by the GPU are those of the CPU, while texts come and go', async () => {
    const { gpu, bytes } = withBytes();
    const index = await made(gpu as WebGPU, { precision });
    await onGpu(index);
    expect(await answers(index)).toEqual(expected[precision]);
    expect(index.device).toBe('gpu');
    // Changes while a search is under way.
    const more = { id: 'more', text: queries[0] };
    const [found] = await Promise.all([index.search(queries[0]), index.add(more), index.remove(['5', '9999'])]);
    expect(found.length).toBe(10);
    expect((await index.search(queries[0]))[0]).toMatchObject({ id: 'more', text: queries[0] });
    expect(index.device).toBe('gpu');
    await index.remove('more');
    await index.add(documents.filter(({ id }) => id === '5' || id === '9999'));
    const scores = (hits: unknown) => (hits as { score: number }[][]).map((list) => list.map(({ score }) => score));
    expect(scores(await answers(index))).toEqual(scores(expected[precision]));
    expect(bytes()).toBeGreaterThan(documents.length * 24);
    await index.close();
    expect(bytes()).toBe(0);
  });
});

it('below the threshold, and for binary vectors, the CPU compares', async () => {
  const binary = await made(testGpu() as WebGPU, { precision: 'binary' });
  const few = await createIndex(model, { gpu: testGpu() as WebGPU, words: false, chunk: false });
  await few.add(documents.slice(0, FROM_ROWS - 1));
  await Promise.all([binary.search('w1'), few.search('w1')]);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect([binary.device, few.device]).toEqual(['cpu', 'cpu']);
});

it("a page's software adapter is not used, unless it is asked for", async () => {
  const requested = vi.fn(() => testGpu().requestAdapter());
  vi.stubGlobal('navigator', { gpu: { requestAdapter: requested } });
  const index = await createIndex(model, { words: false, chunk: false });
  await index.add(documents);
  await until(() => requested.mock.calls.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(await answers(index)).toEqual(expected.float32);
  expect(index.device).toBe('cpu');
  expect(requested).toHaveBeenCalledTimes(1);
});

it('answers in spite of a lost device, and opens another', async () => {
  const { gpu, lose } = withLosses();
  const index = await made(gpu as WebGPU);
  await onGpu(index);
  await index.search(queries[0]);
  lose();
  expect(await answers(index)).toEqual(expected.float32);
  await onGpu(index);
  const underWay = answers(index);
  lose();
  expect(await underWay).toEqual(expected.float32);
  await onGpu(index);
  lose();
  expect(await answers(index)).toEqual(expected.float32); // the third loss is the last
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(index.device).toBe('cpu');
  expect(await answers(index)).toEqual(expected.float32);
});

it.each([0, 1, 2, 5])('answers without memory for buffer %i of the GPU', async (at) => {
  const index = await made(withoutMemoryAt(at) as WebGPU);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(await answers(index)).toEqual(expected.float32);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(index.device).toBe('cpu');
});

it('a search that leaves nothing out does not clear a GPU that computes something wrong', async () => {
  const wrong = withShaders((code) => code.replace('score += dot(a, b)', 'score -= dot(a, b)'));
  const index = await made(wrong as WebGPU);
  await onGpu(index);
  expect(await index.search(queries[0], { filter: () => false })).toEqual([]);
  expect(await answers(index)).toEqual(expected.float32);
  expect(index.device).toBe('cpu');
});

it('does not use a GPU that computes something wrong, or compiles nothing', async () => {
  for (const [from, to] of [
    ['score += dot(a, b)', 'score -= dot(a, b)'],
    ['@workgroup_size(', 'nonsense ('],
  ]) {
    const index = await made(withShaders((code) => code.replace(from, to)) as WebGPU);
    await new Promise((resolve) => setTimeout(resolve, 500));
    if (from.startsWith('score')) expect(index.device).toBe('gpu');
    for (let i = 0; i < 2; i++) {
      expect(await answers(index)).toEqual(expected.float32);
      expect(index.device).toBe('cpu');
    }
  }
});

it('a closed index leaves nothing on the GPU, also if it was just being copied', async () => {
  const { gpu, bytes } = withBytes();
  const index = await made(gpu as WebGPU);
  await index.close();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(bytes()).toBe(0);
});

it('neither does one that could not be stored or closed, nor a GPU that compiles nothing', async () => {
  const { gpu, bytes } = withBytes();
  const file = await (await made(false)).export();
  const full = Object.assign(memoryStore(), { write: async () => false });
  await expect(importIndex(model, file, { gpu: gpu as WebGPU, words: false, store: full })).rejects.toThrow();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(bytes()).toBe(0);

  const broken = Object.assign(memoryStore(), { close: () => Promise.reject(new Error('no disk')) });
  const index = await made(gpu as WebGPU, { store: broken });
  await onGpu(index);
  expect(bytes()).toBeGreaterThan(0);
  await expect(index.close()).rejects.toThrow('no disk');
  expect(bytes()).toBe(0);

  const deaf = withShaders((code) => code.replace('@workgroup_size(', 'nonsense ('), gpu);
  await made(deaf as WebGPU);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(bytes()).toBe(0);
});

it('rows that come while a search is under way, on a further part of GPU memory, do not end it', async () => {
  const table = new VectorTable('float32', 1300); // 6144 rows per part
  const row = new Float32Array(table.dim);
  for (let i = 0; i < 2 * 6144; i++) table.push(row.fill(i, i % row.length, (i % row.length) + 1));
  const scan = new GpuScan(table, testGpu() as WebGPU);
  await scan.prepare();
  const [first] = [scan.bounds(row, undefined), await undefined, table.push(row)];
  expect(await first).toBe(undefined);
  expect(scan.isReady).toBe(true);
  const bounds = await scan.bounds(row, undefined);
  expect(nearest(row, table, 5, undefined, spansOf(bounds!, 5, table.count))).toEqual(nearest(row, table, 5));
  scan.close();
});
