/** `isSupported` of the page: a chunk that pages load on first use. */
import { checkOptions } from '../api/options';
import type { Support } from '../api/support';
import type { ModelSource } from '../api/types';
import { advice } from '../gpu/browser';
import { workerParts } from '../worker-parts';
import type { BrowserLoadOptions } from './client';
import { withoutWebgpu } from './no-webgpu';
import { absoluteOptions, absoluteSource, connectTo, OPTIONS } from './to-worker';

/**
 * The worker answers, because there the model would run: what it has of WebGPU, of the store and of the network is what counts. One that was made for
 * the question is ended after it.
 */
export async function isSupported(source: ModelSource | undefined, options: BrowserLoadOptions = {}): Promise<Support> {
  checkOptions('isSupported', options, OPTIONS);
  const { worker = true, signal, onProgress: _, gpu, ...rest } = options;
  signal?.throwIfAborted();
  const plain = absoluteOptions(rest);
  if (worker === false) {
    const [{ supportOf }, { browserStore: store }] = await Promise.all([
      import('./support'),
      import('../store/browser'),
    ]);
    return supportOf(source, { ...plain, signal, gpu: gpu ?? navigator.gpu, store });
  }
  if (gpu) throw new TypeError('The option gpu cannot be sent to a worker. Pass it together with worker: false.');
  const hasWebgpu = navigator.gpu !== undefined;
  if (source === undefined && !hasWebgpu) return withoutWebgpu(); // nor has a worker
  const connection = connectTo(worker);
  try {
    const from = source === undefined ? undefined : absoluteSource(source);
    const { value } = await connection.request<Support>(signal, (session, id) =>
      session.support(id, from, plain, workerParts()),
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
