/** The browser's stores. Both work in pages and in workers. */

import type { ModelFile } from '../formats/model-files';
import type { OpenStore, Store } from './entries';
import { storedName } from './entries';

const NAME = 'modernbert-webgpu';

/** The origin private file system; the Cache API where there is none; undefined where neither is allowed (private windows, some frames). */
export const browserStore: OpenStore = async () =>
  (await opfsStore().catch(() => undefined)) ?? (await cacheApiStore().catch(() => undefined));

/** One folder an entry. A file is written beside its place and moved there by the browser when it is closed. */
export async function opfsStore(): Promise<Store> {
  const root = await (await navigator.storage.getDirectory()).getDirectoryHandle(NAME, { create: true });
  // Safari before 26 has handles that cannot be written outside of workers; it has no WebGPU either.
  if (!('createWritable' in FileSystemFileHandle.prototype)) throw new TypeError('Files cannot be written.');
  const orNothing = (error: unknown) => {
    if ((error as DOMException).name === 'NotFoundError') return undefined;
    throw error;
  };
  return {
    kind: 'opfs',
    hold,
    space,
    async entries() {
      const names: string[] = [];
      for await (const name of (root as unknown as { keys(): AsyncIterable<string> }).keys()) names.push(name);
      return names;
    },
    async read(entry, name) {
      const folder = await root.getDirectoryHandle(entry).catch(orNothing);
      const handle = await folder?.getFileHandle(storedName(name)).catch(orNothing);
      return handle && blobFile(name, await handle.getFile(), handle);
    },
    async write(entry, name) {
      const folder = await root.getDirectoryHandle(entry, { create: true });
      const handle = await folder.getFileHandle(storedName(name), { create: true });
      return (await handle.createWritable()) as WritableStream<Uint8Array>;
    },
    remove: async (entry) => root.removeEntry(entry, { recursive: true }).catch(orNothing),
  };
}

/** An entry's files under an address that no server has. */
export async function cacheApiStore(): Promise<Store> {
  const cache = await caches.open(NAME);
  const base = `https://${NAME}.invalid/`;
  const entryOf = ({ url }: Request) => url.slice(base.length).split('/')[0];
  return {
    kind: 'cache-api',
    hold,
    space,
    entries: async () => [...new Set((await cache.keys()).map(entryOf))],
    async read(entry, name) {
      const response = await cache.match(`${base}${entry}/${storedName(name)}`);
      return response && blobFile(name, await response.blob());
    },
    async write(entry, name) {
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      const writer = writable.getWriter();
      const stored = cache.put(`${base}${entry}/${storedName(name)}`, new Response(readable));
      stored.catch(() => {}); // whoever writes next hears of it
      return new WritableStream({
        write: (chunk) =>
          writer.write(chunk).catch(async (error) => {
            await stored; // knows better why
            throw error;
          }),
        async close() {
          await writer.close().catch(() => {});
          await stored;
        },
        abort: (reason) => writer.abort(reason),
      });
    },
    async remove(entry) {
      for (const request of await cache.keys()) if (entryOf(request) === entry) await cache.delete(request);
    },
  };
}

/** Streams are made when they are asked for: one that is made begins to fill. `handle`: of the same file. */
const blobFile = (name: string, blob: Blob, handle?: FileSystemFileHandle): ModelFile => ({
  name,
  size: blob.size,
  get stream() {
    return blob.stream();
  },
  get fleetingStream() {
    return handle && 'createSyncAccessHandle' in handle ? directStream(handle as WorkerHandle, blob) : undefined;
  },
});

/** In dedicated workers (https://fs.spec.whatwg.org/#api-filesystemsyncaccesshandle). Browsers without the mode give one at a time. */
type WorkerHandle = FileSystemFileHandle & {
  createSyncAccessHandle(options: { mode: 'read-only' }): Promise<AccessHandle>;
};
interface AccessHandle {
  read(into: Uint8Array, options: { at: number }): number;
  close(): void;
}

const DIRECT_BYTES = 1 << 20;

/**
 * Reads in this thread, always into the same memory. `blob.stream()` comes through a pipe from another process, in new memory for every
 * chunk, at a tenth of the rate; it steps in where another has the file's lock.
 */
function directStream(handle: WorkerHandle, blob: Blob): ReadableStream<Uint8Array> {
  let opening: Promise<AccessHandle | undefined> | undefined;
  let piped: ReadableStreamDefaultReader<Uint8Array> | undefined;
  const bytes = new Uint8Array(DIRECT_BYTES);
  let at = 0;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        opening ??= handle.createSyncAccessHandle({ mode: 'read-only' }).catch(() => undefined);
        const direct = await opening;
        if (!direct) {
          piped ??= blob.stream().getReader();
          const { done, value } = await piped.read();
          return done ? controller.close() : controller.enqueue(value);
        }
        try {
          const length = direct.read(bytes, { at });
          at += length;
          if (length > 0) return controller.enqueue(bytes.subarray(0, length));
        } catch (error) {
          direct.close(); // what cannot be read can be removed
          throw error;
        }
        direct.close();
        controller.close();
      },
      async cancel(reason) {
        (await opening)?.close();
        await piped?.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

/** A Web Lock, which ends with the page or worker that has it. */
const hold: Store['hold'] = (entry, how) =>
  new Promise((resolve, reject) => {
    const wait = (lock: Lock | null) => (lock ? new Promise<void>((release) => resolve(release)) : resolve(undefined));
    navigator.locks.request(`${NAME}/${entry}`, how, wait).catch(reject);
  });

const space = async () => {
  const { quota, usage } = await navigator.storage.estimate();
  return { quota, usage };
};
