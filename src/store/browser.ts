/** The browser's stores. Both work in pages and in workers. */

import type { ModelFile } from '../formats/model-files';
import { streamBytes, streamFrom } from '../formats/read';
import { type OpenStore, type Store, storedName } from './entries';

const NAME = 'modernbert-webgpu';

/** The origin private file system, else the Cache API; undefined if neither is allowed (private windows, some frames). */
export const browserStore: OpenStore = async () =>
  (await opfsStore().catch(() => undefined)) ?? (await cacheApiStore().catch(() => undefined));

/** One folder per entry. The browser writes a file to a temporary place and moves it when the stream is closed. */
async function opfsStore(): Promise<Store> {
  const root = await (await navigator.storage.getDirectory()).getDirectoryHandle(NAME, { create: true });
  // Safari before 26 can write files only in workers; it has no WebGPU either.
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

/** The files of an entry have an address that no server has. */
async function cacheApiStore(): Promise<Store> {
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
      stored.catch(() => {}); // the next write or close reports it
      return new WritableStream({
        write: (chunk) =>
          writer.write(chunk).catch(async (error) => {
            await stored; // has the more precise error
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

/** The streams are getters, since a stream begins to fill when it is made. `handle`: of the same file. */
const blobFile = (name: string, blob: Blob, handle?: FileSystemFileHandle): ModelFile => ({
  name,
  size: blob.size,
  get stream() {
    return blob.stream();
  },
  get fleetingStream() {
    return handle && 'createSyncAccessHandle' in handle
      ? streamFrom(directChunks(name, handle as WorkerHandle, blob))
      : undefined;
  },
});

/** In dedicated workers only (https://fs.spec.whatwg.org/#api-filesystemsyncaccesshandle). Browsers without `mode` open one handle at a time. */
type WorkerHandle = FileSystemFileHandle & {
  createSyncAccessHandle(options: { mode: 'read-only' }): Promise<AccessHandle>;
};
interface AccessHandle {
  read(into: Uint8Array, options: { at: number }): number;
  close(): void;
}

const DIRECT_BYTES = 1 << 20;

/**
 * Reads in this thread, always into the same memory, ten times as fast as `blob.stream()`, which is a pipe from another process with new
 * memory for every chunk. That replaces it while another handle holds the lock of the file.
 */
async function* directChunks(name: string, handle: WorkerHandle, blob: Blob): AsyncGenerator<Uint8Array> {
  const direct = await handle.createSyncAccessHandle({ mode: 'read-only' }).catch(() => undefined);
  if (!direct) return yield* streamBytes({ name, size: blob.size, stream: blob.stream() }, {});
  try {
    const bytes = new Uint8Array(DIRECT_BYTES);
    for (let at = 0; ; ) {
      const length = direct.read(bytes, { at });
      if (length === 0) return;
      at += length;
      yield bytes.subarray(0, length);
    }
  } finally {
    direct.close(); // an open file cannot be removed
  }
}

/** A Web Lock, which ends with the page or worker that holds it. */
const hold: Store['hold'] = (entry, how) =>
  new Promise((resolve, reject) => {
    const wait = (lock: Lock | null) => (lock ? new Promise<void>((release) => resolve(release)) : resolve(undefined));
    navigator.locks.request(`${NAME}/${entry}`, how, wait).catch(reject);
  });

const space = async () => {
  const { quota, usage } = await navigator.storage.estimate();
  return { quota, usage };
};
