import type { CachedModel, CacheStore, Dtype } from '../api/types';
import type { ModelFile } from '../formats/model-files';

/**
 * Where loaded models are kept: in entries, one folder of files each. A load that stores a model makes a new entry with a random name and
 * writes its manifest last. So nobody writes to an entry that another reads, and an entry without a manifest is left from a broken load.
 */
export interface Store {
  readonly kind: CacheStore;
  /** Names of all entries, complete or not. */
  entries(): Promise<string[]>;
  read(entry: string, file: string): Promise<ModelFile | undefined>;
  /** The file appears when the stream is closed. The stream fails with a QuotaExceededError (Node: ENOSPC) if there is no space left. */
  write(entry: string, file: string): Promise<WritableStream<Uint8Array>>;
  remove(entry: string): Promise<void>;
  /** Locks the entry against removal (`shared`) or any other use; returns the release, or undefined if it is `ifAvailable` and taken. */
  hold(entry: string, how: { mode: 'shared' | 'exclusive'; ifAvailable?: boolean }): Promise<(() => void) | undefined>;
  /** Bytes that may be stored in total, and that are in use; undefined if unknown. */
  space(): Promise<{ quota?: number; usage?: number }>;
}

/** Opens the store of this browser or machine; undefined if there is none. */
export type OpenStore = () => Promise<Store | undefined>;

/** What an entry holds. */
export interface Manifest {
  version: typeof VERSION;
  source: string;
  hubUrl?: string;
  revision?: string;
  commit?: string;
  dtype: Dtype;
  /** Whether `dtype: 'auto'` chose it. */
  auto: boolean;
  /** File → size in bytes. */
  files: Record<string, number>;
  /** Files that the checkpoint does not have. */
  absent: string[];
  storedAt: number;
  lastUsed: number;
}

export interface Entry {
  id: string;
  manifest: Manifest;
}

const VERSION = 1;
const MANIFEST = '.manifest.json';

/** The name of a file in a store, without '/': model files may be in folders. */
export const storedName = (name: string): string => encodeURIComponent(name);

/** The manifest of an entry; undefined if it is missing, broken or of another version. */
async function readManifest(store: Store, id: string): Promise<Manifest | undefined> {
  try {
    const file = await store.read(id, MANIFEST);
    const manifest = file && ((await new Response(file.stream as ReadableStream<BufferSource>).json()) as Manifest);
    return manifest?.version === VERSION ? manifest : undefined;
  } catch {
    return undefined;
  }
}

export async function writeManifest(store: Store, id: string, manifest: Omit<Manifest, 'version'>): Promise<void> {
  const writer = (await store.write(id, MANIFEST)).getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify({ version: VERSION, ...manifest })));
  await writer.close();
}

/** All complete entries, the most recently used first. */
export async function readEntries(store: Store): Promise<Entry[]> {
  const read = await Promise.all(
    (await store.entries()).map(async (id) => ({ id, manifest: await readManifest(store, id) })),
  );
  return read
    .filter((entry): entry is Entry => entry.manifest !== undefined)
    .sort((a, b) => b.manifest.lastUsed - a.manifest.lastUsed);
}

/** Removes what broken loads left, but not what is being written. */
export async function removeIncomplete(store: Store): Promise<void> {
  for (const id of await store.entries()) {
    if (await readManifest(store, id)) continue;
    const release = await store.hold(id, { mode: 'exclusive', ifAvailable: true });
    if (!release) continue;
    // The writer may have finished in the meantime.
    if (!(await readManifest(store, id))) await store.remove(id);
    release();
  }
}

/** Removes an entry once no load reads it. */
export async function removeEntry(store: Store, id: string): Promise<void> {
  const release = await store.hold(id, { mode: 'exclusive' });
  try {
    await store.remove(id);
  } finally {
    release?.();
  }
}

/** The size of all files of an entry. */
export const totalBytes = ({ files }: Pick<Manifest, 'files'>): number =>
  Object.values(files).reduce((a, b) => a + b, 0);

const cachedModel = ({ id, manifest }: Entry): CachedModel => {
  const { source, hubUrl, revision, commit, dtype, storedAt, lastUsed } = manifest;
  const dates = { storedAt: new Date(storedAt), lastUsed: new Date(lastUsed) };
  return { id, source, hubUrl, revision, commit, dtype, bytes: totalBytes(manifest), ...dates };
};

/** The stored models, the most recently used first. */
export async function listEntries(openStore: OpenStore): Promise<CachedModel[]> {
  const store = await openStore();
  return store ? (await readEntries(store)).map(cachedModel) : [];
}

/** Removes one entry, or all entries of a source. Returns the bytes freed; 0 if there was none. */
export async function deleteEntries(openStore: OpenStore, which: CachedModel | string): Promise<number> {
  const store = await openStore();
  if (!store) return 0;
  const isMeant = ({ id, manifest }: Entry) =>
    typeof which === 'string' ? manifest.source === which : id === which.id;
  let freed = 0;
  for (const entry of (await readEntries(store)).filter(isMeant)) {
    await removeEntry(store, entry.id);
    freed += totalBytes(entry.manifest);
  }
  return freed;
}
