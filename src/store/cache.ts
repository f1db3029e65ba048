import { ModelFileError, wrongChoice } from '../api/errors';
import type { CacheMode, CacheUse, Dtype } from '../api/types';
import type { Identity, ModelFile, ModelFiles } from '../formats/model-files';
import { messageOf } from '../formats/read';
import { isRemote } from '../sources/urls';
import {
  type Entry,
  type Manifest,
  type OpenStore,
  readEntries,
  removeEntry,
  removeIncomplete,
  type Store,
  totalBytes,
  writeManifest,
} from './entries';

export interface CacheOptions {
  cache?: CacheMode;
  dtype?: 'auto' | Dtype;
  store?: OpenStore;
}

/** The files of one load, which ends with `finish` or `discard`. */
export interface CachedFiles extends ModelFiles {
  /** The dtype of the stored weights; undefined if nothing is stored. */
  readonly dtype: Dtype | undefined;
  keep(file: ModelFile): ModelFile;
  /** The load succeeded: commits the kept files for the next one. `dtype`: of the weights. Never throws. */
  finish(dtype: Dtype): Promise<CacheUse>;
  /** The load failed: removes what it kept, and the stored files if they are broken. Never throws. */
  discard(error: unknown): Promise<void>;
}

const MODES = ['auto', 'always', 'refresh', 'none'];
/** Smaller files are written without a check of the free space. */
const CHECKED_BYTES = 1 << 20;

/** `files`, read from the store if they are there, else kept in it. Throws a RangeError for an unknown mode. */
export async function cachedFiles(files: ModelFiles, options: CacheOptions): Promise<CachedFiles> {
  const { cache = 'auto', dtype = 'auto' } = options;
  if (!MODES.includes(cache)) throw wrongChoice('cache', MODES, cache);
  const { identity } = files;
  const off = whyOff(identity, cache);
  if (off || !identity || !options.store) return uncached(files, { state: 'off', reason: off });
  try {
    const store = await options.store();
    if (!store) return uncached(files, { state: 'failed', reason: 'this browser allows the page no storage' });
    const found = cache === 'refresh' ? undefined : await findEntry(store, identity, dtype);
    if (found) identity.commit ??= found.manifest.commit;
    return storing(files, identity, store, dtype, cache === 'refresh', found);
  } catch (error) {
    return uncached(files, { state: 'failed', reason: messageOf(error) });
  }
}

function whyOff(identity: Identity | undefined, cache: CacheMode): string | undefined {
  if (cache === 'none') return "the option cache is 'none'";
  if (!identity) return 'files on this device are not stored';
  const { revision, source } = identity;
  const isOwn = revision === undefined && (!isRemote(source) || source.startsWith(`${globalThis.location?.origin}/`));
  return isOwn && cache === 'auto' ? "the model is of the page's own origin; cache: 'always' stores it too" : undefined;
}

const uncached = (files: ModelFiles, use: CacheUse): CachedFiles => ({
  ...files,
  dtype: undefined,
  keep: (file) => file,
  finish: async () => use,
  discard: async () => {},
});

const spaceOf = (store: Store): ReturnType<Store['space']> => store.space().catch(() => ({}));

const isOf = (manifest: Manifest, { source, hubUrl, revision }: Identity): boolean =>
  manifest.source === source &&
  manifest.hubUrl === hubUrl &&
  (manifest.revision === revision || (revision !== undefined && manifest.commit === revision));

/** The stored entry, of the commit if that is known, held so that nobody removes it. An entry that lacks a file or a part of one is removed. */
async function findEntry(store: Store, identity: Identity, dtype: 'auto' | Dtype) {
  for (const { id, manifest } of await readEntries(store)) {
    if (identity.commit !== undefined && manifest.commit !== identity.commit) continue;
    if (!isOf(manifest, identity) || (dtype === 'auto' ? !manifest.auto : manifest.dtype !== dtype)) continue;
    const release = await store.hold(id, { mode: 'shared' });
    const sizes = Object.entries(manifest.files);
    const stored = await Promise.all(sizes.map(async ([name, size]) => (await store.read(id, name))?.size === size));
    if (release && !stored.includes(false)) return { id, manifest, release };
    release?.();
    await removeEntry(store, id);
  }
  return undefined;
}

function storing(
  files: ModelFiles,
  identity: Identity,
  store: Store,
  asked: 'auto' | Dtype,
  isRefresh: boolean,
  found: (Entry & { release(): void }) | undefined,
): CachedFiles {
  const id = found?.id ?? crypto.randomUUID();
  const stored: Record<string, number> = { ...found?.manifest.files };
  const absent = new Set(found?.manifest.absent);
  const open = new Set<WritableStreamDefaultWriter<Uint8Array>>();
  let held: Promise<(() => void) | undefined> | undefined = found && Promise.resolve(found.release);
  let isChanged = false;
  let failure: CacheUse | undefined;
  /** Errors of the network, which say nothing about the stored files. */
  const outside = new Set<unknown>();

  /** Before the first file is written: locks the entry and removes what broken loads left. */
  const prepare = async () => {
    held ??= store.hold(id, { mode: 'exclusive' });
    await held;
    if (!isChanged && !found) await removeIncomplete(store);
    isChanged = true;
  };

  const abortAll = (reason: unknown) => Promise.all([...open].map((writer) => writer.abort(reason).catch(() => {})));
  const removeOwn = async () => void (found || (await store.remove(id).catch(() => {})));
  const letGo = () =>
    held?.then(
      (release) => release?.(),
      () => {},
    );

  /** The model loads without the cache: frees what was stored so far. */
  async function fail(error: unknown, needed?: number): Promise<void> {
    if (failure) return;
    failure = { state: 'failed', store: store.kind, reason: messageOf(error), needed };
    await abortAll(error);
    await removeOwn();
    const { quota, usage } = await spaceOf(store); // without this entry
    // Chromium reports a quota of 10 GiB above the use of the origin: a quota that would have sufficed was not the limit.
    const isMet = quota !== undefined && usage !== undefined && needed !== undefined && usage + needed > quota;
    failure = { ...failure, usage, ...(isMet && { quota }) };
  }

  async function create(name: string, size: number | undefined) {
    if (failure) return undefined;
    const needed = size && size + totalBytes({ files: stored });
    try {
      await prepare();
      if (size !== undefined && size >= CHECKED_BYTES) {
        const { quota = Infinity, usage = 0 } = await spaceOf(store);
        if (size > quota - usage) {
          throw new Error(`${name} needs ${size} bytes, and ${usage} bytes of the quota of ${quota} are in use`);
        }
      }
      const writer = (await store.write(id, name)).getWriter();
      writer.closed.catch(() => {});
      if (failure) {
        await writer.abort();
        await removeOwn();
        return undefined;
      }
      open.add(writer);
      return writer;
    } catch (error) {
      await fail(error, needed);
      return undefined;
    }
  }

  /** `file`, written to the store while it is read. A file whose stream breaks or is cancelled is not stored. */
  function keep(file: ModelFile): ModelFile {
    if (stored[file.name] !== undefined) return file;
    const { name, size } = file;
    const reader = file.stream.getReader();
    let writer: WritableStreamDefaultWriter<Uint8Array> | undefined;
    let length = 0;
    const write = (run: (to: WritableStreamDefaultWriter<Uint8Array>) => Promise<void>) =>
      writer && !failure
        ? run(writer).catch((error) => fail(error, (size ?? length) + totalBytes({ files: stored })))
        : undefined;
    const drop = (reason: unknown) => {
      if (writer) open.delete(writer);
      return writer?.abort(reason).catch(() => {});
    };
    const stream = new ReadableStream<Uint8Array>(
      {
        async start() {
          writer = await create(name, size);
        },
        async pull(controller) {
          const { done, value } = await reader.read().catch(async (error) => {
            await drop(error);
            throw error;
          });
          if (!done) {
            length += value.byteLength;
            await write((to) => to.write(value));
            return controller.enqueue(value);
          }
          if (size !== undefined && length !== size) await drop(undefined);
          else {
            await write(async (to) => {
              await to.close();
              open.delete(to);
              stored[name] = length;
            });
          }
          controller.close();
        },
        async cancel(reason) {
          await Promise.all([reader.cancel(reason), drop(reason)]);
        },
      },
      { highWaterMark: 0 },
    );
    return { name, size, stream };
  }

  const manifestOf = (dtype: Dtype): Omit<Manifest, 'version'> => ({
    ...identity,
    dtype: found?.manifest.dtype ?? dtype,
    auto: found?.manifest.auto ?? asked === 'auto',
    files: stored,
    absent: [...absent],
    storedAt: found?.manifest.storedAt ?? Date.now(),
    lastUsed: Date.now(),
  });

  /** Of several loads that stored the same model at one time the first stays: one commits at a time. Without locks both may stay. */
  async function commit(dtype: Dtype): Promise<void> {
    const manifest = manifestOf(dtype);
    if (found) return writeManifest(store, id, manifest);
    const release = await store.hold('commit', { mode: 'exclusive' });
    try {
      const same = (await readEntries(store)).filter(
        (entry) => isOf(entry.manifest, identity) && entry.manifest.dtype === dtype,
      );
      const isThere = same.some(
        (entry) => entry.manifest.commit === manifest.commit && (entry.manifest.auto || !manifest.auto),
      );
      if (isThere && !isRefresh) return await store.remove(id);
      await writeManifest(store, id, manifest);
      for (const entry of same) await removeEntry(store, entry.id);
    } finally {
      release?.();
    }
  }

  return {
    ...files,
    dtype: found?.manifest.dtype,
    keep,
    async open(name, signal, isOptional) {
      signal?.throwIfAborted();
      if (absent.has(name)) return undefined;
      if (found && stored[name] !== undefined) {
        const file = await store.read(id, name);
        if (file) return Object.assign(file, { name, isPrepared: true });
      }
      const file = await files.open(name, signal, isOptional).catch((error: unknown) => {
        outside.add(error);
        throw error;
      });
      if (!file && !files.isUnsure?.(name)) {
        absent.add(name);
        if (found) isChanged = true;
      }
      return file;
    },
    async finish(dtype) {
      const use: CacheUse = { state: found && !isChanged ? 'hit' : 'stored', store: store.kind };
      try {
        if (!failure) await commit(dtype);
      } catch (error) {
        // After a hit only the time of the last use is lost.
        if (use.state === 'stored') await fail(error);
      }
      await letGo();
      return failure ?? { ...use, bytes: totalBytes({ files: stored }) };
    },
    async discard(error) {
      failure ??= { state: 'failed', reason: messageOf(error) };
      await abortAll(error);
      await removeOwn();
      if (found && error instanceof ModelFileError && !outside.has(error)) await store.remove(id).catch(() => {});
      await letGo();
    },
  };
}
