/** What a page sends to a worker, and where to. Apart from client.ts, whose types are public. */
import { WorkerError } from '../api/errors';
import { checkOptions, LOAD_OPTIONS, type OptionNames } from '../api/options';
import type { LoadOptions, ModelSource } from '../api/types';
import { startWorker } from '../start-worker';
import type { BrowserLoadOptions } from './client';
import { type Connection, connect } from './connection';

/** The options of `what`, taken apart: `plain` can be sent. Throws a TypeError for those that it does not have, and the reason of an aborted signal. */
export function taken(what: string, options: BrowserLoadOptions) {
  const names: OptionNames<BrowserLoadOptions> = { ...LOAD_OPTIONS, worker: true };
  checkOptions(what, options, names);
  const { worker = true, signal, onProgress, gpu, ...rest } = options;
  signal?.throwIfAborted();
  if (gpu && worker !== false) {
    throw new TypeError('The option gpu cannot be sent to a worker. Pass it together with worker: false.');
  }
  return { worker, signal, onProgress, gpu, plain: absoluteOptions(rest) };
}

/** The connection to a worker as the option names it; a new one, unless it is a Worker. Throws a WorkerError if the browser refuses to start it. */
export const connectTo = (worker: true | Worker | (() => Worker)): Connection =>
  connect(typeof worker === 'object' ? worker : newWorker(worker === true ? startWorker : worker));

function newWorker(start: () => Worker): Worker {
  try {
    return start();
  } catch (cause) {
    throw new WorkerError(
      `The browser refused to start the worker (${(cause as Error).message}). A worker must come from the page's own origin, ` +
        'and under Trusted Types from a trusted URL: serve the library from there, import modernbert-webgpu/inline, or make the worker ' +
        'yourself and pass it as the option worker.',
      { cause },
    );
  }
}

/** Relative URLs resolve differently in the page and in the worker, so they become absolute. Hub ids and files stay unchanged. */
export function absoluteSource<T extends ModelSource | undefined>(source: T): T | string {
  if (source instanceof URL) return source.href;
  return typeof source === 'string' ? absoluteUrl(source) : source;
}

/** A copy; `adapter` is a name, not a source, if there are `adapters`. */
function absoluteOptions<T extends LoadOptions>(options: T): T {
  const { hubUrl, adapter, adapters } = options;
  const sources = Object.entries(adapters ?? {}).map(([name, source]) => [name, absoluteSource(source)] as const);
  return {
    ...options,
    ...(hubUrl && { hubUrl: absoluteUrl(hubUrl) }),
    ...(adapter && !adapters && { adapter: absoluteSource(adapter) }),
    ...(sources.length > 0 && { adapters: Object.fromEntries(sources) }),
  };
}

function absoluteUrl(url: string): string {
  return isPath(url) ? new URL(url, globalThis.document?.baseURI ?? globalThis.location.href).href : url;
}

const isPath = (url: string) => !/^[a-z][a-z\d+.-]*:/i.test(url) && /^(\/|\.\.?\/)|\/$|^\.\.?$/.test(url);
