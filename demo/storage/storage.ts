// What this page keeps on the device, and how it goes.
import { clear, createStore, entries } from 'idb-keyval';
import type { CachedModel } from '../../src/index';
import { deleteCached, listCached } from '../../src/index';
import { keptStore } from '../kept-value';
import { fileSize, plural } from '../numbers';

const PREFIX = 'modernbert-webgpu/';
const SEARCH = `${PREFIX}search/`;
/** The database of the tab that sorts files. */
const SORT = `${PREFIX}sort`;
/** The library's database of what it measured of the GPU. */
const PLANS = 'modernbert-webgpu';
/** Names of the service worker's caches begin so (service-worker.ts); the page's address follows. */
const PAGE_CACHE = 'page ';

/** What is kept of one kind. */
export interface Part {
  /** Such as `Search indexes`. */
  name: string;
  /** For people, in a question that lists what goes: `1 search index`. */
  what: string;
  /** Undefined where the browser does not say. */
  bytes: number | undefined;
  /** Whether the user made it, so that it is not deleted without a question. */
  isOwn: boolean;
  remove(): Promise<unknown>;
}

export interface Stored {
  models: CachedModel[];
  /** Those that there are. */
  parts: Part[];
  /** Bytes of all that this site keeps, as the browser counts them. */
  total: number | undefined;
}

type Usage = StorageEstimate & { usageDetails?: { indexedDB?: number } };

/** What `read` gives, or `otherwise` where it fails: some pages may not, and some browsers cannot. */
async function unless<T>(read: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await read();
  } catch {
    return otherwise;
  }
}

/** Reads what is kept. What a browser does not let a page see counts as nothing. */
export async function readStored(): Promise<Stored> {
  const [models, estimate, databases, files, pages] = await Promise.all([
    unless(listCached, []),
    unless<Usage>(() => navigator.storage.estimate(), {}),
    unless(() => indexedDB.databases(), []),
    unless(() => entries(keptStore()), []),
    unless(pageCaches, []),
  ]);
  const names = databases.flatMap(({ name }) => (name?.startsWith(SEARCH) ? [name] : []));
  const sorted = databases.filter(({ name }) => name === SORT);
  const drafts = draftsIn(localStorageOrNothing());
  const parts: Part[] = [];
  if (names.length > 0) {
    parts.push({
      name: 'Search indexes',
      what: plural(names.length, 'search index').replace('indexs', 'indexes'),
      // Browsers say only what all databases of an origin take.
      bytes: databases.every(({ name }) => name === PLANS || name?.startsWith(SEARCH))
        ? estimate.usageDetails?.indexedDB
        : undefined,
      isOwn: true,
      remove: () => Promise.all(names.map(deleteDatabase)),
    });
  }
  if (sorted.length > 0) {
    parts.push({
      name: 'Sorted files',
      what: 'the sorted files and their classes',
      bytes: undefined,
      isOwn: true,
      remove: () => deleteDatabase(SORT),
    });
  }
  if (files.length > 0) {
    parts.push({
      name: 'Files for the next visit',
      what: 'the files for the next visit',
      bytes: jsonBytes(files),
      isOwn: true,
      remove: () => clear(keptStore()),
    });
  }
  if (drafts.keys.length > 0) {
    parts.push({
      name: 'Texts, choices, measured speeds',
      what: 'the texts and choices of all tabs',
      bytes: drafts.bytes,
      isOwn: true,
      remove: async () => {
        for (const key of drafts.keys) localStorage.removeItem(key);
      },
    });
  }
  // Only if it is there: opening it would make it.
  const plans = databases.some(({ name }) => name === PLANS) ? createStore(PLANS, 'gemm-plans') : undefined;
  const measured = plans ? await unless(() => entries(plans), []) : [];
  if (plans && measured.length > 0) {
    parts.push({
      name: 'Measurements of the GPU',
      what: 'what was measured of the GPU',
      bytes: jsonBytes(measured),
      isOwn: false,
      remove: () => clear(plans),
    });
  }
  if (pages.length > 0) {
    const sizes = await Promise.all(pages.map(cacheBytes));
    parts.push({
      name: 'This page, for use offline',
      what: 'the copy of this page for use offline',
      bytes: sum(sizes),
      isOwn: false,
      remove: removePage,
    });
  }
  return { models, parts, total: estimate.usage };
}

export const sum = (sizes: (number | undefined)[]): number => sizes.reduce<number>((all, size) => all + (size ?? 0), 0);

const jsonBytes = (value: unknown): number => new Blob([JSON.stringify(value)]).size;

function localStorageOrNothing(): Record<string, string> {
  try {
    return { ...localStorage };
  } catch {
    return {}; // not allowed
  }
}

/** The keys of this page in localStorage, and what they take: two bytes per UTF-16 code unit of keys and values. */
export function draftsIn(entries: Record<string, string>): { keys: string[]; bytes: number } {
  const own = Object.entries(entries).filter(([key]) => key.startsWith(PREFIX));
  return { keys: own.map(([key]) => key), bytes: sum(own.map(([key, value]) => 2 * (key.length + value.length))) };
}

/** Resolves once the database is gone, or will be when other pages let go of it. */
const deleteDatabase = (name: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onblocked = () => resolve();
    request.onerror = () => reject(request.error);
  });

/** The caches of this page, not of others of the same origin. */
async function pageCaches(): Promise<string[]> {
  const own = PAGE_CACHE + new URL('./', location.href).href;
  return (await caches.keys()).filter((name) => name === own);
}

async function cacheBytes(name: string): Promise<number> {
  const cache = await caches.open(name);
  const sizes = (await cache.keys()).map(async (request) => (await (await cache.match(request))?.blob())?.size);
  return sum(await Promise.all(sizes));
}

/** The service worker goes as well: it would answer with what is no longer kept. The next visit brings it back. */
async function removePage(): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration();
  await registration?.unregister();
  await Promise.all((await pageCaches()).map((name) => caches.delete(name)));
}

/** Deletes everything. Models in use stay usable, as they are in memory. */
export async function removeAll({ models, parts }: Stored): Promise<void> {
  await Promise.all([...models.map((model) => deleteCached(model)), ...parts.map((part) => part.remove())]);
}

/** What goes with everything, for a question: `2 models (30.1 MB), 1 search index and the texts …`. */
export function listOf({ models, parts }: Stored): string {
  const bytes = sum(models.map((model) => model.bytes));
  const names = [
    ...(models.length > 0 ? [`${plural(models.length, 'model')} (${fileSize(bytes)})`] : []),
    ...parts.map(({ what, bytes }) => (bytes ? `${what} (${fileSize(bytes)})` : what)),
  ];
  return new Intl.ListFormat('en', { type: 'conjunction' }).format(names);
}

/** The name of a kept model: of one of the page without its address. */
export const keptName = ({ source }: { source: string }): string => source.replace(/^.*\/(?=models\/)/, '');
