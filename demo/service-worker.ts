/// <reference lib="webworker" />
// Keeps the page on the device, so that it opens and works without a network. Every file is kept under its address and its hash: what
// is kept is always of one build. A new build's files come in beside the old one's, which go when the new one takes over.
import type { KeepAnswer, OfflineAnswer, OfflineRequest } from './offline';

/** A file of the build. `keep`: at once, when the user asks for all of the page, or when it is first used. */
interface PageFile {
  path: string;
  /** The first 16 hex digits of its SHA-256. */
  hash: string;
  bytes: number;
  keep: 'now' | 'asked' | 'used';
}

/** Put here by the build (tools/offline.mjs). */
declare const PAGE_FILES: PageFile[];
const FILES = PAGE_FILES;

const worker = self as unknown as ServiceWorkerGlobalScope;
const { scope } = worker.registration;
const CACHE = `page ${scope}`; // an origin may have other pages

/** The page is asked for by its folder: some servers redirect from index.html. */
const addressOf = ({ path }: PageFile): string => new URL(path === 'index.html' ? './' : path, scope).href;
const keyOf = (file: PageFile): string => `${addressOf(file)}?${file.hash}`;
const byAddress = new Map(FILES.map((file) => [addressOf(file), file]));

worker.addEventListener('install', (event) => event.waitUntil(install()));
worker.addEventListener('activate', (event) => event.waitUntil(takeOver()));

/** Fetches what is always kept, and the new ones of those files that the version before kept because they were used. */
async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  const before = new Set((await cache.keys()).map(({ url }) => url.replace(/\?.*$/, '')));
  const wanted = FILES.filter((file) => file.keep === 'now' || before.has(addressOf(file)));
  await Promise.all(wanted.map((file) => fetchAndKeep(cache, file)));
}

async function takeOver(): Promise<void> {
  const cache = await caches.open(CACHE);
  const current = new Set(FILES.map(keyOf));
  const old = (await cache.keys()).filter(({ url }) => !current.has(url));
  await Promise.all(old.map((request) => cache.delete(request)));
  await worker.clients.claim(); // the first visit's page too keeps what it uses
}

interface FetchOptions {
  signal?: AbortSignal;
  /** Hears of the bytes that have come. */
  onBytes?(bytes: number): void;
}

/** Throws an Error where the server has another version of the file: then this build is not, or no longer, the one to keep. */
async function fetchAndKeep(cache: Cache, file: PageFile, { signal, onBytes }: FetchOptions = {}): Promise<void> {
  if (await cache.match(keyOf(file))) return;
  const response = await fetch(addressOf(file), { cache: 'no-cache', signal });
  if (!response.ok) throw new Error(`the server answers with status ${response.status} for ${file.path}.`);
  if (!(await keepIfSame(cache, file, onBytes ? counted(response, onBytes) : response))) {
    throw new Error(`the server has another ${file.path} by now. Reload the page.`);
  }
}

/** The same response, whose bytes are counted as they come. */
function counted(response: Response, onBytes: (bytes: number) => void): Response {
  const count = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      onBytes(chunk.length);
      controller.enqueue(chunk);
    },
  });
  return new Response(response.body?.pipeThrough(count), response);
}

async function keepIfSame(cache: Cache, file: PageFile, response: Response): Promise<boolean> {
  const copy = response.clone();
  // Some servers send a .gz file as the file that is packed in it; its name has its hash.
  const isUnpacked = file.path.endsWith('.gz') && response.headers.has('content-encoding');
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await response.arrayBuffer()));
  const hash = Array.from(digest.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('');
  const isSame = hash === file.hash || isUnpacked;
  if (isSame) await cache.put(keyOf(file), copy);
  return isSame;
}

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const address = request.url.replace(/[?#].*$/, '');
  if (request.method !== 'GET' || !address.startsWith(scope) || request.headers.has('range')) return;
  const file = byAddress.get(address === `${scope}index.html` ? scope : address);
  if (file) event.respondWith(answer(event, file));
  // A model's optional file that the build does not have is missing without a network too, not out of reach.
  else if (address.startsWith(`${scope}models/`)) {
    event.respondWith(fetch(request).catch(() => new Response(null, { status: 404 })));
  }
});

async function answer(event: FetchEvent, file: PageFile): Promise<Response> {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(keyOf(file));
  if (kept) return kept;
  const response = await fetch(event.request);
  // Full storage and downloads that are stopped half-way: the page works all the same.
  if (response.ok) event.waitUntil(keepIfSame(cache, file, response.clone()).catch(() => {}));
  return response;
}

worker.addEventListener('message', (event) => {
  const { data, source, ports } = event as ExtendableMessageEvent & { data: OfflineRequest };
  const reply = (message: OfflineAnswer) => source?.postMessage(message);
  if (data === 'take over') event.waitUntil(takeOverIfAlone(reply));
  else if (data === 'what is missing')
    event.waitUntil(missingFiles().then((files) => reply({ missing: bytesOf(files) })));
  else event.waitUntil(keepRest(ports[0]));
});

/** Other tabs still show the old version, whose files would go. */
async function takeOverIfAlone(reply: (message: OfflineAnswer) => void): Promise<void> {
  const windows = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  if (windows.filter(({ url }) => url.startsWith(scope)).length > 1) reply({ otherTabs: true });
  else await worker.skipWaiting();
}

async function missingFiles(): Promise<PageFile[]> {
  const cache = await caches.open(CACHE);
  const keys = new Set((await cache.keys()).map(({ url }) => url));
  return FILES.filter((file) => file.keep !== 'used' && !keys.has(keyOf(file)));
}

const bytesOf = (files: PageFile[]): number => files.reduce((sum, { bytes }) => sum + bytes, 0);

/** Files that are of use together: those of a model. The others stand for themselves. */
function unitsOf(files: PageFile[]): Iterable<PageFile[]> {
  const units = new Map<string, PageFile[]>();
  for (const file of files) {
    const name = /^models\/[^/]+\//.exec(file.path)?.[0] ?? file.path;
    units.set(name, [...(units.get(name) ?? []), file]);
  }
  return units.values();
}

/** Keeps what is missing, one file after the other, and says in `port` how far that is. Any message stops it. */
async function keepRest(port: MessagePort): Promise<void> {
  const stopping = new AbortController();
  const { signal } = stopping;
  port.onmessage = () => stopping.abort();
  const say = (answer: KeepAnswer) => port.postMessage(answer);
  try {
    const files = await missingFiles();
    const total = bytesOf(files);
    let before = 0;
    for (const unit of unitsOf(files)) {
      await keepWhole(unit, signal, (bytes) => say({ done: before + bytes, total }));
      before += bytesOf(unit);
    }
    say({ done: total, total });
    say('kept');
  } catch (error) {
    say({ error: signal.aborted ? undefined : reasonOf(error) });
  }
}

/** Keeps files that belong together, or none of them. `onBytes` hears of how many bytes have come in all. */
async function keepWhole(files: PageFile[], signal: AbortSignal, onBytes: (bytes: number) => void): Promise<void> {
  const cache = await caches.open(CACHE);
  try {
    for (const [i, file] of files.entries()) {
      const before = bytesOf(files.slice(0, i));
      let came = 0;
      await fetchAndKeep(cache, file, {
        signal,
        onBytes(bytes) {
          came += bytes; // of what is unpacked there may be more
          onBytes(before + Math.min(came, file.bytes));
        },
      });
      signal.throwIfAborted();
    }
  } catch (error) {
    await Promise.all(files.map((file) => cache.delete(keyOf(file))));
    throw error;
  }
}

/** Why something could not be kept, for people. */
function reasonOf(error: unknown): string {
  if (error instanceof DOMException && error.name === 'QuotaExceededError')
    return 'this device has no room left for it.';
  if (error instanceof TypeError) return 'the network does not answer. Try again when it does.'; // of fetch
  return error instanceof Error ? error.message : String(error);
}
