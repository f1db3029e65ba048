import { afterAll, beforeAll, expect, it } from 'vitest';
import { TEST_PROFILE, testGpu } from '../gpu/fixtures';
import { checkpointFolder } from '../model/fixtures/golden';
import { lastHiddenState } from '../model/heads/hidden';
import { loadRuntime } from '../session/load-runtime';
import { folderFiles } from '../sources/folder';
import type { HeadRequest } from './head-runner';
import type { Runtime } from './runtime';

let runtime: Runtime;
beforeAll(async () => {
  ({ runtime } = await loadRuntime(checkpointFolder('tiny-mlm'), {
    gpu: testGpu(),
    profile: TEST_PROFILE,
    folder: folderFiles,
  }));
});
afterAll(() => runtime.dispose());

const sequence = (length: number) => Uint32Array.from({ length }, (_, i) => (i * 7 + length) % 64);
const rows: HeadRequest[] = [{ head: lastHiddenState, indices: Uint32Array.of(0, 5) }];
const run = async (ids: Uint32Array, onSubmitted?: () => void) =>
  (await runtime.run([ids], rows, { onSubmitted })).heads[0].data;

/** Runs `first`, and `second` as soon as the GPU has got the first; what came of the second, and which was done first. */
async function overlapped(first: Uint32Array, second: Uint32Array) {
  const order: string[] = [];
  let other: Promise<Float32Array> | undefined;
  const data = await run(first, () => {
    order.push('second begun');
    other = run(second);
    other.catch(() => {});
  });
  order.push('first done');
  return { data, other: other!, order };
}

it('a pass that begins while another is in flight changes neither', async () => {
  const [a, b] = [sequence(40), sequence(70)];
  const alone = [await run(a), await run(b)];
  expect(alone[0]).not.toEqual(alone[1]);
  const { activations } = runtime.memoryUse();
  const { data, other, order } = await overlapped(a, b);
  expect([data, await other]).toEqual(alone);
  expect(order).toEqual(['second begun', 'first done']);
  // A readback buffer more, and no further one for the next two.
  const more = runtime.memoryUse().activations;
  expect(more - activations).toBe(2 * runtime.model.encoder.hidden_states.bytes);
  const again = await overlapped(a, b);
  expect([again.data, await again.other]).toEqual(alone);
  expect(runtime.memoryUse().activations).toBe(more);
});

it('a pass that needs larger buffers, or fails for want of them, leaves the one in flight its results', async () => {
  const ids = sequence(40);
  const alone = await run(ids);
  const growing = await overlapped(ids, sequence(500));
  expect(growing.data).toEqual(alone);
  await growing.other;

  const { memory } = runtime;
  const alloc = memory.alloc.bind(memory);
  memory.alloc = (kind, label, size, usage) => {
    if (label === 'wide') throw new RangeError('no room for wide');
    return alloc(kind, label, size, usage);
  };
  const failing = await overlapped(ids, sequence(1500));
  memory.alloc = alloc;
  expect(failing.data).toEqual(alone);
  await expect(failing.other).rejects.toThrow('no room for wide');
  expect(await run(ids)).toEqual(alone);
});
