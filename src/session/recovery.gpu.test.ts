import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { DeviceLostError } from '../api/errors';
import { TEST_PROFILE, withLosses, withoutMemoryAt } from '../gpu/fixtures';
import { checkpointFolder, maxDifference, readGolden } from '../model/fixtures/golden';
import { folderOf, RUNS, readCase } from '../reference/calls';
import { folderFiles } from '../sources/folder';
import type { OpenOptions } from './load-runtime';
import { openModel } from './open';

/** Losses that are forced at moments spread over a load, and as many over a pass. */
const LOSSES = Number(process.env.LOSSES ?? 12);

const PLAIN = { autotune: false, selfCheck: false, profile: TEST_PROFILE } as const;
const golden = readGolden('tiny-mlm');
const open = (gpu: GPU, options: Partial<OpenOptions> = {}) =>
  openModel(checkpointFolder('tiny-mlm'), {
    gpu,
    folder: folderFiles,
    dtype: 'f32',
    ...PLAIN,
    ...options,
  });
const forward = (model: Awaited<ReturnType<typeof open>>) =>
  model.forward(golden.batch, { outputs: ['last_hidden_state'] });
/** Waits for it; the test's own limit of time ends it. */
const until = async (isTrue: () => boolean) => {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
};
const isRight = ({ last_hidden_state }: Awaited<ReturnType<typeof forward>>) =>
  maxDifference(last_hidden_state!.data, golden.floats('last_hidden_state').data) <= 2e-4;

const counted = withLosses();
const first = await open(counted.gpu);
const toLoad = counted.calls();
await forward(first);
const toRun = counted.calls();
await first.dispose();

it('has counted calls', () => expect([toLoad > 50, toRun - toLoad > 10]).toEqual([true, true]));

it.each(Array.from({ length: LOSSES }, (_, i) => Math.floor((i * toLoad) / LOSSES)))(
  'a loss at call %i of the load',
  async (at) => {
    const model = await open(withLosses(at).gpu);
    expect(isRight(await forward(model))).toBe(true);
    await model.dispose();
    expect(model.memory()).toMatchObject({ weights: 0, activations: 0 });
  },
);

it.each(Array.from({ length: LOSSES }, (_, i) => toLoad + Math.floor((i * (toRun - toLoad)) / LOSSES)))(
  'a loss at call %i, in a pass',
  async (at) => {
    const { gpu } = withLosses(at);
    const model = await open(gpu);
    const results = await Promise.all([forward(model), forward(model), forward(model)]);
    expect(results.map(isRight)).toEqual([true, true, true]);
    await model.dispose();
    expect(model.memory()).toMatchObject({ weights: 0, activations: 0 });
  },
);

describe('a loss', () => {
  let model: Awaited<ReturnType<typeof open>>;
  afterEach(() => model?.dispose());

  it('between two calls is not noticed by the next', async () => {
    const { gpu, lose } = withLosses();
    model = await open(gpu);
    lose();
    expect(isRight(await forward(model))).toBe(true);
  });

  it('of a model with modules after its Transformer is not noticed by the next call', async () => {
    const { gpu, lose } = withLosses();
    const { calls } = readCase('st-dense-prompts');
    model = await openModel(folderOf('st-dense-prompts'), { gpu, folder: folderFiles, dtype: 'f32', ...PLAIN });
    lose();
    for (const call of calls) await RUNS[call.call](model, call);
  });

  it('of a model with two encoders is noticed by neither', async () => {
    const { gpu, lose } = withLosses();
    const { calls } = readCase('gliner-bi-span');
    model = await openModel(folderOf('gliner-bi-span'), { gpu, folder: folderFiles, dtype: 'f32', ...PLAIN });
    for (const call of calls.slice(0, 2)) {
      lose();
      await RUNS.entities(model, call);
    }
    // Labels that it knows, and others, at once.
    const { texts, labels } = calls[0];
    const all = [labels!, ['other'], ['another', ...labels!]].map((own) =>
      model.entities(texts as string[], own, { truncate: true }),
    );
    lose();
    expect((await Promise.all(all)).map((found) => found.length)).toEqual([5, 5, 5]);
  });

  it('while kernels are checked and tiles are measured begins the load again', async () => {
    const { gpu } = withLosses(toLoad + 20);
    model = await open(gpu, { selfCheck: true });
    expect(isRight(await forward(model))).toBe(true);
  });

  it('soon after another rejects what it finds under way; the next call tries afresh', async () => {
    const { gpu } = withLosses(toLoad + 10, toLoad + 10);
    model = await open(gpu);
    await expect(forward(model)).rejects.toThrow(DeviceLostError);
    expect(isRight(await forward(model))).toBe(true);
  });

  it('is final without recovery, in a load as in a call', async () => {
    await expect(open(withLosses(40).gpu, { recover: false })).rejects.toThrow(DeviceLostError);
    const { gpu, lose } = withLosses();
    model = await open(gpu, { recover: false });
    lose();
    await expect(forward(model)).rejects.toThrow(DeviceLostError);
    await expect(forward(model)).rejects.toThrow(DeviceLostError);
  });

  it('during which the model is disposed of ends as a disposal', async () => {
    const { gpu, lose } = withLosses();
    model = await open(gpu);
    lose();
    const call = forward(model);
    await model.dispose();
    await expect(call).rejects.toMatchObject({ name: 'AbortError', message: /disposed/ });
    await expect(forward(model)).rejects.toMatchObject({ name: 'AbortError', message: /disposed/ });
  });
});

it('a loss ends the download that it interrupts', async () => {
  const folder = checkpointFolder('tiny-mlm');
  let sent = 0;
  let isCancelled = false;
  vi.stubGlobal('fetch', async (url: string) => {
    const name = new URL(url).pathname.slice('/tiny/'.length);
    if (!readdirSync(folder).includes(name)) return new Response(null, { status: 404 });
    const bytes = readFileSync(join(folder, name));
    if (name !== 'model.safetensors') return new Response(bytes);
    const pull = async (controller: ReadableStreamDefaultController) => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      const part = bytes.subarray(sent, sent + 65_536);
      sent += part.length;
      controller.enqueue(new Uint8Array(part));
      if (sent >= bytes.length) controller.close();
    };
    const cancel = () => {
      isCancelled = true;
    };
    return new Response(new ReadableStream({ pull, cancel }, { highWaterMark: 0 }));
  });
  try {
    const { gpu, lose } = withLosses();
    const loading = openModel('https://example.org/tiny/', {
      gpu,
      dtype: 'f32',
      selfCheck: false,
      profile: TEST_PROFILE,
      recover: false,
    });
    loading.catch(() => {});
    await until(() => sent > 200_000);
    lose();
    await expect(loading).rejects.toThrow(DeviceLostError);
    await until(() => isCancelled);
  } finally {
    vi.unstubAllGlobals();
  }
});

it('the load after a loss reads the commit that the model is of, though the branch has moved', async () => {
  const folder = checkpointFolder('tiny-mlm');
  let head = 'a'.repeat(40);
  const asked: string[] = [];
  vi.stubGlobal('fetch', async (url: string) => {
    const { pathname } = new URL(url);
    asked.push(pathname);
    if (pathname.startsWith('/api/')) {
      const named = pathname.split('/').at(-1)!;
      const siblings = readdirSync(folder).map((rfilename) => ({ rfilename }));
      return Response.json({ sha: named === 'main' ? head : named, siblings });
    }
    return new Response(readFileSync(join(folder, pathname.split('/').at(-1)!)));
  });
  try {
    const { gpu, lose } = withLosses();
    const model = await openModel('org/tiny', {
      gpu,
      dtype: 'f32',
      autotune: false,
      selfCheck: false,
      profile: TEST_PROFILE,
    });
    head = 'b'.repeat(40);
    lose();
    asked.length = 0;
    expect(isRight(await forward(model))).toBe(true);
    expect(asked).toContain(`/org/tiny/resolve/${'a'.repeat(40)}/model.safetensors`);
    expect(asked.filter((path) => path.includes(head))).toEqual([]);
    expect(model.info.commit).toBe('a'.repeat(40));
    await model.dispose();
  } finally {
    vi.unstubAllGlobals();
  }
});

it.each([1, 20, 30])(
  'no memory for buffer %i of a load is a RangeError that says so, and leaves nothing behind',
  async (at) => {
    await expect(open(withoutMemoryAt(at))).rejects.toThrow(/out of memory/);
  },
);
