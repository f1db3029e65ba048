import type { FileOptions, ModelSource } from '../api';
import { abortReason, ModelFileError } from '../errors';
import { messageOf } from './read';
import type { Identity, ModelFile, ModelFiles } from './types';

export interface SourceOptions extends Pick<FileOptions, 'revision' | 'token' | 'hubUrl'> {
  /** Gives a local folder's files, or undefined if there is no such folder. Only Node has one (folder.ts). */
  folder?: (path: string) => ModelFiles | undefined;
}

const HUB_URL = 'https://huggingface.co';
const isUrlOrPath = (source: string): boolean => /^(https?:|file:|\/|\.\.?\/)|\/$|^\.\.?$/i.test(source);
const isHubId = (source: string): boolean => /^\w[\w.-]*\/\w[\w.-]*$/.test(source);

/**
 * The files of a checkpoint. Nothing is read yet.
 * Throws a TypeError for what is no source, a ModelFileError for a local folder that is not there.
 */
export function openFiles(source: ModelSource, options: SourceOptions = {}): ModelFiles {
  if (typeof source === 'string' || source instanceof URL) {
    const place = String(source);
    const local = /^https?:/i.test(place) ? undefined : options.folder?.(place);
    if (local) return local;
    if (isUrlOrPath(place)) {
      if (options.folder && !/^https?:/i.test(place)) throw new ModelFileError(`There is no folder ${place}.`);
      return urlFiles(folderUrl(place));
    }
    if (isHubId(place)) return hubFiles(place, options);
    throw new TypeError(`Not a model source: ${JSON.stringify(place)}. ${sourceHint(place)}`);
  }
  if (typeof source !== 'object' || source === null) {
    throw new TypeError(`Not a model source: ${String(source)}. ${ACCEPTED}`);
  }
  if (Symbol.iterator in source && !(source instanceof Map)) {
    throw new TypeError(`Not a model source: a list. For picked files: ${FROM_FILE_LIST}. ${ACCEPTED}`);
  }
  return blobFiles(source);
}

const ACCEPTED =
  "Accepted: the URL or path of a folder ('https://…', '/models/name', './name'), a Hugging Face Hub id ('org/name'), " +
  'or a Map or object of file name → Blob.';

const FROM_FILE_LIST = 'new Map([...input.files].map((file) => [file.webkitRelativePath || file.name, file]))';

const sourceHint = (source: string): string =>
  /^[\w.-]+$/.test(source)
    ? `Write './${source}' for a folder of that name, or 'org/${source}' for a model on the Hugging Face Hub.`
    : ACCEPTED;

/** Keeps the query of `place`, which may be what grants access (signed URLs); every file gets it. */
function folderUrl(place: string): URL {
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  let url: URL;
  try {
    url = new URL(place, base);
  } catch (cause) {
    throw new TypeError(
      `${JSON.stringify(place)} is not a whole URL, and there is no page that it could be relative to.`,
      {
        cause,
      },
    );
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  url.hash = '';
  return url;
}

const encodePath = (path: string): string => path.split('/').map(encodeURIComponent).join('/');

function urlFiles(base: URL): ModelFiles {
  const address = (name: string) => {
    const url = new URL(encodePath(name), base);
    url.search = base.search;
    return url.href;
  };
  return httpFiles(base.href, address, {}, { source: base.origin + base.pathname });
}

/** Files of a Hub repository: `{hubUrl}/{id}/resolve/{revision}/{file}`. The token goes to `hubUrl` only. */
function hubFiles(id: string, { hubUrl = HUB_URL, revision = 'main', token }: SourceOptions): ModelFiles {
  if (token !== undefined && !/^[!-~]+$/.test(token)) {
    throw new TypeError('token has characters that no access token has (spaces, line ends or non-ASCII).');
  }
  const repository = `${hubUrl.replace(/\/+$/, '')}/${id}`;
  // A revision such as refs/pr/1 is one part of the path, so its '/' is encoded too.
  const base = `${repository}/resolve/${encodeURIComponent(revision)}/`;
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const identity = { source: id, hubUrl: hubUrl === HUB_URL ? undefined : hubUrl, revision };
  return httpFiles(`${repository} (${revision})`, (name) => base + encodePath(name), headers, identity);
}

function httpFiles(
  where: string,
  address: (name: string) => string,
  headers: Record<string, string>,
  identity: Identity,
): ModelFiles {
  const missing = new Map<string, string>();
  return {
    where,
    identity,
    whyMissing: (name) => missing.get(name),
    async open(name, signal): Promise<ModelFile | undefined> {
      const url = address(name);
      const response = await fetch(url, { headers, signal }).catch((cause: unknown) => {
        if (signal?.aborted) throw abortReason(signal);
        throw new ModelFileError(
          `No answer from the network for ${url} (${causesOf(cause)}). Is the server up, and does it allow this page (CORS)?`,
          { cause },
        );
      });
      const { status } = response;
      const isPage =
        response.ok && /^(text\/html|application\/xhtml\+xml)\b/i.test(response.headers.get('content-type') ?? '');
      if (response.ok && !isPage) {
        return { name, size: exactSize(response), stream: response.body ?? new Blob([]).stream() };
      }
      response.body?.cancel().catch(() => {});
      if (status !== 404 && status !== 410 && !isPage) throw new ModelFileError(httpError(response, url));
      missing.set(name, isPage ? `the server answered ${url} with a page of HTML` : `HTTP ${status} for ${url}`);
      return undefined;
    },
  };
}

/**
 * content-length counts compressed bytes where there is a content-encoding, and across origins a browser does not show
 * that header (it is not CORS-safelisted), so there the length is not known to be the file's.
 */
function exactSize({ headers, type }: Response): number | undefined {
  const length = headers.get('content-length');
  if (length === null || type === 'cors' || headers.has('content-encoding')) return undefined;
  return Number(length);
}

function httpError({ status, statusText }: Response, url: string): string {
  const message = `HTTP ${status}${statusText && ` ${statusText}`} for ${url}.`;
  if (status !== 401 && status !== 403) return message;
  return (
    `${message} The model may be private or gated (pass \`token\`, and accept its terms on its page), or there may be no ` +
    "such model; some storage servers also answer 403 for a file that is not there. A folder of this site is './name'."
  );
}

/** Node's fetch says only "fetch failed"; what failed is in the chain of causes. */
const causesOf = (error: unknown): string => {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause === undefined ? messageOf(error) : `${messageOf(error)}: ${causesOf(cause)}`;
};

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
    async open(name, signal) {
      signal?.throwIfAborted();
      const blob = blobs.get(name);
      return blob && { name, size: blob.size, stream: blob.stream() };
    },
    whyMissing: () => `there are ${[...blobs.keys()].slice(0, 20).join(', ')}${blobs.size > 20 ? ', …' : ''}`,
  };
}

/** The folder, with its last '/', that all names begin with: a picked folder's files have its name in front. */
function commonFolder(names: string[]): string {
  let folder = names[0].slice(0, names[0].lastIndexOf('/') + 1);
  while (!names.every((name) => name.startsWith(folder))) {
    folder = folder.slice(0, folder.lastIndexOf('/', folder.length - 2) + 1);
  }
  return folder;
}
