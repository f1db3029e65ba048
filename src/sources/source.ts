import { ModelFileError } from '../api/errors';
import type { ModelSource } from '../api/types';
import { isFileName, type ModelFiles } from '../formats/model-files';
import type { Missing } from './http';
import { encodePath, type HubOptions, hubFiles, openHttp } from './hub';
import { folderUrl, isRemote, shownUrl } from './urls';

export interface SourceOptions extends HubOptions {
  /** Returns the files of a local folder, or undefined if there is none. Node only (folder.ts). */
  folder?: (path: string) => ModelFiles | undefined;
}

/** `scheme://…` of any scheme but the Hub's own for Python: an extension, for example, has its own. A single letter is a drive of Windows. */
const isUrlOrPath = (source: string): boolean =>
  /^((?!hf:)[a-z][a-z\d+.-]+:\/\/|(https?|file|blob|data|javascript):|\/|\.\.?\/)|\/$|^\.\.?$/i.test(source);
export const isHubId = (source: string): boolean => /^\w[\w.-]*\/\w[\w.-]*$/.test(source);

/**
 * The files of a checkpoint. Reads nothing yet. Opening a name that would leave the checkpoint is a ModelFileError, whoever asks.
 * Throws a TypeError for anything but a source, a ModelFileError for a local folder that does not exist, a RangeError for a wrong stallTimeout.
 */
export function openFiles(source: ModelSource, options: SourceOptions = {}): ModelFiles {
  const { stallTimeout } = options;
  if (stallTimeout !== undefined && !(typeof stallTimeout === 'number' && stallTimeout > 0)) {
    throw new RangeError(
      `stallTimeout must be milliseconds above 0, or Infinity; it is ${JSON.stringify(stallTimeout)}.`,
    );
  }
  const files = filesOf(source, options);
  return {
    ...files,
    async open(name, signal, isOptional) {
      if (isFileName(name)) return files.open(name, signal, isOptional);
      throw new ModelFileError(
        `${JSON.stringify(name.slice(0, 100))} cannot be a file of ${files.where}: only names below its folder can.`,
      );
    },
  };
}

function filesOf(source: ModelSource, options: SourceOptions): ModelFiles {
  if (typeof source === 'string' || source instanceof URL) {
    const place = String(source);
    const local = isRemote(place) ? undefined : options.folder?.(place);
    if (local) return local;
    if (isUrlOrPath(place)) {
      if (options.folder && !isRemote(place)) throw new ModelFileError(`There is no folder ${place}.`);
      return urlFiles(sourceUrl(place), options);
    }
    if (isHubId(place)) return hubFiles(place, options);
    const shown = JSON.stringify(shownUrl(place).slice(0, 100));
    throw new TypeError(`Not a model source: ${shown}. ${sourceHint(place)}`);
  }
  if (typeof source !== 'object' || source === null) {
    throw new TypeError(`Not a model source: ${String(source)}. ${ACCEPTED}`);
  }
  if (Symbol.iterator in source && !(source instanceof Map)) {
    throw new TypeError(`Not a model source: a list. For picked files: ${FROM_FILE_LIST}. ${ACCEPTED}`);
  }
  return blobFiles(source);
}

/**
 * The checkpoint that a file of `beside` calls `name`: a folder next to it, or in Node at that path, or a model on the Hub. Undefined if it can
 * be none: a path of another machine, or files without a place.
 */
export function namedSource(name: string, beside: ModelSource, options: SourceOptions): ModelSource | undefined {
  const place = typeof beside === 'string' || beside instanceof URL ? String(beside) : undefined;
  const relative = name.replace(/^(\.\/)+|\/+$/g, '');
  const isNextTo = isFileName(relative);
  if (place !== undefined && !isRemote(place) && options.folder?.(place)) {
    const next = `${place.replace(/[\\/]+$/, '')}/../${relative}`;
    const found = [isNextTo ? next : undefined, name].find((path) => path !== undefined && options.folder?.(path));
    if (found !== undefined) return found;
  }
  if (isHubId(name)) return name;
  if (place === undefined || !isNextTo || options.folder?.(place) || !isUrlOrPath(place)) return undefined;
  const folder = sourceUrl(place);
  const next = new URL(`../${encodePath(relative)}/`, folder);
  next.search = folder.search;
  return next;
}

const ACCEPTED =
  "Accepted: the URL or path of a folder ('https://…', '/models/name', './name'), a Hugging Face Hub id ('org/name'), " +
  'or a Map or object of file name → Blob.';

const FROM_FILE_LIST = 'new Map([...input.files].map((file) => [file.webkitRelativePath || file.name, file]))';

const sourceHint = (source: string): string =>
  /^[\w.-]+$/.test(source)
    ? `Write './${source}' for a folder of that name, or 'org/${source}' for a model on the Hugging Face Hub.`
    : ACCEPTED;

/** Keeps the query of `place` for every file: it may grant access (signed URLs). */
function sourceUrl(place: string): URL {
  const url = folderUrl('The model source', place);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  url.hash = '';
  return url;
}

function urlFiles(base: URL, { retryDelay, sha256, stallTimeout }: SourceOptions): ModelFiles {
  const missing = new Map<string, Missing>();
  return {
    where: shownUrl(base),
    identity: { source: `${base.protocol}//${base.host}${base.pathname}` }, // other schemes may have the origin 'null'
    whyMissing: (name) => missing.get(name)?.missing,
    isUnsure: (name) => missing.get(name)?.isUnsure ?? false,
    async open(name, signal, isOptional) {
      const url = new URL(encodePath(name), base);
      url.search = base.search;
      const answer = await openHttp(name, url.href, { signal, isOptional, retryDelay, sha256, stallTimeout });
      if ('file' in answer) return answer.file;
      missing.set(name, answer);
      return undefined;
    },
  };
}

function blobFiles(source: Map<string, Blob> | Record<string, Blob>): ModelFiles {
  const given = source instanceof Map ? [...source] : Object.entries(source);
  if (given.length === 0) throw new TypeError(`Not a model source: no files were given. ${ACCEPTED}`);
  for (const [name, blob] of given) {
    if (typeof name !== 'string' || !(blob instanceof Blob)) {
      throw new TypeError(`Not a model source: ${JSON.stringify(name)} is not a file name with a Blob. ${ACCEPTED}`);
    }
  }
  const prefix = commonFolder(given.map(([name]) => name));
  const blobs = new Map(given.map(([name, blob]) => [name.slice(prefix.length), blob]));
  return {
    where: 'the given files',
    name: prefix.split('/').at(-2),
    async open(name, signal) {
      signal?.throwIfAborted();
      const blob = blobs.get(name);
      return blob && { name, size: blob.size, stream: blob.stream() };
    },
    whyMissing: () => `there are ${[...blobs.keys()].slice(0, 20).join(', ')}${blobs.size > 20 ? ', …' : ''}`,
  };
}

/** The folder, with its last '/', that all names begin with: the names of files of a picked folder begin with its name. */
function commonFolder(names: string[]): string {
  let folder = names[0].slice(0, names[0].lastIndexOf('/') + 1);
  while (!names.every((name) => name.startsWith(folder))) {
    folder = folder.slice(0, folder.lastIndexOf('/', folder.length - 2) + 1);
  }
  return folder;
}
