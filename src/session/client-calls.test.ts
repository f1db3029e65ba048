import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import type { CallOptions } from '../api/calls';
import type { Model } from '../api/types';
import { sparseRows } from '../sparse';
import { closePorts, load } from './worker-double';

// In Node there is no page: relative addresses need one.
vi.stubGlobal('location', { href: 'https://example.org/app/index.html' });
afterAll(() => void vi.unstubAllGlobals());
afterEach(closePorts);

describe('calls', () => {
  it('pass on texts and options and keep memory() up to date', async () => {
    const { remote, seen } = await load();
    expect(await remote.fillMask(['a', 'b'], { topK: 3 })).toEqual(['fillMask', ['a', 'b']]);
    expect(await remote.classify('c')).toEqual(['classify', 'c']);
    expect(await remote.classifyTokens('d')).toEqual(['classifyTokens', 'd']);
    await remote.tokenize('one', 'two');
    expect(seen[0]).toMatchObject(['fillMask', ['a', 'b'], { topK: 3 }]);
    expect(seen[3].slice(0, 3)).toEqual(['tokenize', 'one', 'two']);
    expect(remote.memory().activations).toBe(4);
  });

  it('restore row() of embeddings and transfer their data', async () => {
    const data = Float32Array.of(1, 2, 3, 4);
    const embed = (async () => ({ data, rows: 2, dim: 2, row: () => data })) as unknown as Model['embed'];
    const { remote } = await load({ embed });
    const embeddings = await remote.embed(['a', 'b']);
    expect(embeddings.data).toEqual(Float32Array.of(1, 2, 3, 4));
    expect(embeddings.row(1)).toEqual(Float32Array.of(3, 4));
    expect(embeddings.row(1).buffer).toBe(embeddings.data.buffer);
    expect(data.length).toBe(0); // transferred, not copied
  });

  it('restore row() of binary embeddings and of each embedding in a list', async () => {
    const bits = { data: Uint8Array.of(1, 2, 3, 4), rows: 2, dim: 12, row: () => [] };
    const vectors = [1, 2].map((rows) => ({
      ...{ data: new Float32Array(rows * 2).fill(rows), rows, dim: 2, row: () => [] },
      ids: Uint32Array.of(7),
      offsets: [[0, 3]],
    }));
    const { remote } = await load({
      embed: (async () => bits) as unknown as Model['embed'],
      embedMultiVector: (async () => vectors) as unknown as Model['embedMultiVector'],
    });
    expect((await remote.embed('a', { precision: 'binary' })).row(1)).toEqual(Uint8Array.of(3, 4));
    const [, second] = await remote.embedMultiVector(['a', 'b'], { kind: 'query' });
    expect(second).toMatchObject({ ids: Uint32Array.of(7), offsets: [[0, 3]], rows: 2 });
    expect(second.row(1)).toEqual(Float32Array.of(2, 2));
    expect(vectors.map(({ data }) => data.length)).toEqual([0, 0]);
  });

  it('restore row() of sparse embeddings, transfer their arrays and copy the rows that are passed', async () => {
    const sparse = sparseRows(
      [
        { ids: Uint32Array.of(3, 9), weights: Float32Array.of(1, 2) },
        { ids: Uint32Array.of(4), weights: Float32Array.of(5) },
      ],
      10,
    );
    const decodeSparse = vi.fn(async () => []);
    const { remote } = await load({ embedSparse: async () => sparse, decodeSparse });
    const found = await remote.embedSparse(['a', 'b']);
    expect(found).toMatchObject({ rows: 2, size: 10, offsets: Uint32Array.of(0, 2, 3) });
    expect(found.row(1)).toEqual({ ids: Uint32Array.of(4), weights: Float32Array.of(5) });
    expect([sparse.ids.length, sparse.weights.length, sparse.offsets.length]).toEqual([0, 0, 0]);
    await remote.decodeSparse(found.row(1));
    await remote.decodeSparse(found.row(1), { topK: 1 });
    for (const [row] of decodeSparse.mock.calls as unknown as [typeof found][]) {
      expect(row).toMatchObject({ ids: Uint32Array.of(4), weights: Float32Array.of(5) });
      expect([row.ids.buffer.byteLength, row.weights.buffer.byteLength]).toEqual([4, 4]);
    }
  });

  it('transfer tensors that share a buffer, and copy the input', async () => {
    const buffer = new Float32Array(6).buffer;
    const forward = vi.fn(async () => ({
      logits: { data: new Float32Array(buffer, 0, 2), shape: [2] },
      last_hidden_state: { data: new Float32Array(buffer, 8, 4), shape: [2, 2] },
    }));
    const { remote } = await load({ forward });
    const ids = new Uint32Array(1000).subarray(10, 12);
    const result = await remote.forward({ inputIds: ids, lengths: Uint32Array.of(2) }, { rows: [0] });
    expect(result.last_hidden_state).toEqual({ data: new Float32Array(4), shape: [2, 2] });
    expect(buffer.byteLength).toBe(0);
    expect(ids.length).toBe(2);
    const [batch, options] = forward.mock.calls[0] as unknown as [{ inputIds: Uint32Array }, object];
    expect(batch.inputIds.buffer.byteLength).toBe(8); // only the view was sent
    expect(options).toMatchObject({ rows: [0] });
  });

  it('run concurrently, each with its own result', async () => {
    const { remote } = await load();
    const answers = await Promise.all(['a', 'b', 'c'].map((text) => remote.classify(text)));
    expect(answers).toEqual(['a', 'b', 'c'].map((text) => ['classify', text]));
  });

  it('are aborted individually', async () => {
    const { remote, seen } = await load();
    const controller = new AbortController();
    const aborted = remote.classify('wait for it', { signal: controller.signal });
    const other = remote.classify('b');
    controller.abort();
    await expect(aborted).rejects.toBe(controller.signal.reason);
    expect(await other).toEqual(['classify', 'b']);
    const { signal } = seen[0].at(-1) as { signal: AbortSignal };
    await vi.waitFor(() => expect(signal.aborted).toBe(true));
  });

  it('reject at once if the signal is already aborted, without a message to the worker', async () => {
    const { remote, seen } = await load();
    await expect(remote.classify('a', { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
    await remote.classify('b');
    expect(seen).toHaveLength(1);
  });

  it('report progress, and reject with the error of the callback', async () => {
    const classify = async (_text: unknown, { onProgress }: CallOptions = {}) => {
      for (const done of [1, 2]) onProgress?.({ done, total: 2, tokens: done, totalTokens: 2 });
      return [];
    };
    const { remote } = await load({ classify: classify as unknown as Model['classify'] });
    const reports: number[] = [];
    await remote.classify('a', { onProgress: ({ done }) => reports.push(done) });
    expect(reports).toEqual([1, 2]); // all before the result
    const onProgress = () => {
      throw new RangeError('no room for a bar');
    };
    await expect(remote.classify('a', { onProgress })).rejects.toThrow('no room for a bar');
    expect(await remote.classify('b')).toEqual([]);
  });

  it('that fail after a report that fails leave no rejection behind', async () => {
    const classify = async (_: string, { onProgress }: CallOptions) => {
      onProgress!({ done: 1, total: 2, tokens: 1, totalTokens: 2 });
      await new Promise((resolve) => setTimeout(resolve, 50));
      throw new RangeError('Text 1 is empty.');
    };
    const { remote } = await load({ classify } as object);
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    const onProgress = () => {
      throw new Error('no room for a bar');
    };
    await expect(remote.classify('a', { onProgress })).rejects.toThrow('Text 1 is empty.');
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it('have no option that the caller did not give, but a signal', async () => {
    const { remote, seen } = await load();
    await remote.classify('a', { topK: 1 });
    await remote.classify('b', { onProgress: () => {} });
    expect(seen.map(([, , options]) => Object.keys(options as object).sort())).toEqual([
      ['signal', 'topK'],
      ['onProgress', 'signal'],
    ]);
  });

  it('are the calls of the model in the worker', async () => {
    const summarize = async (text: string, options: object) => [text, options];
    const { remote } = await load({ summarize } as object);
    const own = remote as unknown as { summarize(...args: unknown[]): Promise<unknown> };
    expect(await own.summarize('a', { length: 3 })).toMatchObject(['a', { length: 3 }]);
    expect(Object.keys(remote)).toEqual(expect.arrayContaining(['info', 'memory', 'dispose', 'forward', 'summarize']));
  });

  it('remove their listener from the signal', async () => {
    const { remote } = await load();
    const { signal } = new AbortController();
    const remove = vi.spyOn(signal, 'removeEventListener');
    await remote.classify('a', { signal });
    expect(remove).toHaveBeenCalledOnce();
  });

  it('keep the class of the error', async () => {
    const embed = async () => {
      throw new RangeError('9000 tokens, the limit is 8192');
    };
    const { remote } = await load({ embed });
    await expect(remote.embed('x')).rejects.toThrow(RangeError);
  });

  it('reject when the worker dies', async () => {
    const { remote, worker } = await load();
    const waiting = remote.classify('wait');
    worker.dispatchEvent(
      Object.assign(new Event('error'), { message: 'out of memory', filename: 'worker.js', lineno: 1 }),
    );
    await expect(waiting).rejects.toThrow('out of memory');
    await expect(remote.classify('b')).rejects.toThrow('out of memory');
    await remote.dispose();
  });
});
