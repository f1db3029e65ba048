/**
 * `isSupported` of the page: a chunk that pages load on first use. It imports nothing of what starts workers: an app that needs only `similarity` would
 * get that too, as bundlers keep what a chunk imports.
 */
import type { Support } from '../api/support';
import type { ModelSource } from '../api/types';
import { advice } from '../gpu/browser';
import type { workerParts } from '../worker-parts';
import { withoutWebgpu } from './no-webgpu';
import type { connectTo, taken } from './to-worker';

/**
 * The worker answers, because there the model would run: what it has of WebGPU, of the store and of the network is what counts. One that was made for
 * the question is ended after it.
 */
export async function ask(
  source: ModelSource | undefined,
  { worker, signal, gpu, plain }: ReturnType<typeof taken>,
  connect: typeof connectTo,
  parts: typeof workerParts,
): Promise<Support> {
  if (worker === false) {
    const [{ supportOf }, { browserStore: store }] = await Promise.all([
      import('./support'),
      import('../store/browser'),
    ]);
    return supportOf(source, { ...plain, signal, gpu: gpu ?? navigator.gpu, store });
  }
  const hasWebgpu = navigator.gpu !== undefined;
  if (source === undefined && !hasWebgpu) return withoutWebgpu(); // nor has a worker
  const connection = connect(worker);
  try {
    const { value } = await connection.request<Support>(signal, (session, id) =>
      session.support(id, source, plain, parts()),
    );
    return value.reason === 'no-webgpu' && hasWebgpu
      ? {
          ...value,
          reason: 'worker-without-webgpu',
          message: `This page has WebGPU, but its workers do not: a newer browser may, or load with worker: false, in the page's own thread.${advice()}`,
        }
      : value;
  } finally {
    if (typeof worker !== 'object') connection.close();
  }
}
