import { abortReason, ModelFileError } from '../api/errors';
import type { FileOptions } from '../api/types';
import { isObject } from '../formats/json-fields';
import type { Identity, ModelFiles } from '../formats/model-files';
import { readJson } from '../formats/read';
import type { Expected, HttpOptions, Missing } from './http';
import { folderUrl } from './urls';

const HUB_URL = 'https://huggingface.co';

export type HubOptions = Pick<FileOptions, 'revision' | 'token' | 'hubUrl' | 'stallTimeout'> &
  Pick<HttpOptions, 'retryDelay' | 'sha256'> & {
    /** The commit that `revision` stands for, if that is known: a branch may have moved on. */
    commit?: string;
  };

/** The commit of a revision, and its files with what the Hub knows about them. */
interface Snapshot {
  commit: string;
  files: Map<string, Expected>;
}

export const encodePath = (path: string): string => path.split('/').map(encodeURIComponent).join('/');

/** Fetched when the first file is opened: what is in the store needs no network. */
export const openHttp = async (...asked: Parameters<typeof import('./http')['openHttp']>) =>
  (await import('./http')).openHttp(...asked);

/**
 * Files of a Hub repository, `{hubUrl}/{id}/resolve/{commit}/{file}`. One request to the Hub resolves the revision to a commit and lists its
 * files, with size and sha256 of the large ones. From a mirror without that list, files are read by revision; once an answer names its
 * commit, the following files are read from that. Every request goes to the origin of `hubUrl`, and so does the token: fetch drops it when a
 * redirect leaves the origin. Throws a TypeError for a `hubUrl`, `revision` or `token` that cannot be one.
 */
export function hubFiles(id: string, options: HubOptions): ModelFiles {
  const { hubUrl = HUB_URL, revision = 'main', token, retryDelay, sha256, stallTimeout } = options;
  const transfer = { retryDelay, sha256, stallTimeout };
  if (token !== undefined && !/^[!-~]+$/.test(token)) {
    throw new TypeError('token has characters that an access token cannot have (spaces, line ends or non-ASCII).');
  }
  if (typeof revision !== 'string' || !/^[^\p{Cc}\p{Cs}]+$/u.test(revision)) {
    throw new TypeError(`revision ${JSON.stringify(revision)} is not the name of a branch, a tag or a commit.`);
  }
  const hub = hubAddress(hubUrl);
  const repository = `${hub}/${id}`;
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const identity: Identity = {
    source: id,
    hubUrl: hub === HUB_URL ? undefined : hub,
    revision,
    commit: options.commit,
  };
  const missing = new Map<string, Missing>();
  let asking: Promise<Snapshot | undefined> | undefined;

  async function snapshot(signal: AbortSignal | undefined): Promise<Snapshot | undefined> {
    const address = `${hub}/api/models/${id}/revision/${encodeURIComponent(identity.commit ?? revision)}?blobs=true`;
    try {
      const where = 'the Hub';
      const open = async (name: string) => {
        const answer = await openHttp(name, address, { ...transfer, headers, signal });
        return 'file' in answer ? answer.file : undefined;
      };
      return parseSnapshot(await readJson({ where, open }, 'the list of files', { signal }));
    } catch (error) {
      if (signal?.aborted) throw abortReason(signal);
      if (error instanceof ModelFileError) return undefined; // the files themselves may exist
      throw error;
    }
  }

  return {
    where: `${repository} (${revision})`,
    identity,
    whyMissing: (name) => missing.get(name)?.missing,
    isUnsure: (name) => missing.get(name)?.isUnsure ?? false,
    async open(name, signal, isOptional) {
      asking ??= snapshot(signal);
      const found = await asking;
      if (found) {
        identity.commit ??= found.commit;
        if (!found.files.has(name)) {
          missing.set(name, { missing: `commit ${found.commit} has no such file` });
          return undefined;
        }
      }
      // A revision such as refs/pr/1 is one segment of the path, so its '/' is encoded too.
      const url = `${repository}/resolve/${encodeURIComponent(identity.commit ?? revision)}/${encodePath(name)}`;
      const expected = found?.files.get(name);
      const asked = { ...transfer, headers, signal, expected, isOptional: isOptional && !expected };
      const answer = await openHttp(name, url, asked);
      if ('missing' in answer) {
        if (expected) throw new ModelFileError(`Commit ${identity.commit} has a ${name}, but ${answer.missing}.`);
        missing.set(name, answer);
        return undefined;
      }
      const commit = answer.headers.get('x-repo-commit') ?? undefined;
      if (identity.commit && commit && commit !== identity.commit) {
        await answer.file.stream.cancel();
        throw new ModelFileError(
          `${name} came from commit ${commit}, not from ${identity.commit}. Load the model again.`,
        );
      }
      identity.commit ??= commit;
      return answer.file;
    },
  };
}

/** The address of the Hub, without a '/' at the end. */
function hubAddress(hubUrl: string): string {
  const { href, search, hash } = folderUrl('hubUrl', String(hubUrl));
  if (search || hash) throw new TypeError('hubUrl must not have a query or a fragment: paths are appended to it.');
  return href.replace(/[?#]/g, '').replace(/\/+$/, '');
}

/** Reads the Hub's answer about a revision; undefined for any other JSON. */
function parseSnapshot(json: unknown): Snapshot | undefined {
  const { sha, siblings } = isObject(json) ? json : {};
  if (typeof sha !== 'string' || !Array.isArray(siblings)) return undefined;
  const files = new Map<string, Expected>();
  for (const sibling of siblings) {
    const { rfilename, size, lfs } = isObject(sibling) ? sibling : {};
    if (typeof rfilename !== 'string') return undefined;
    const { sha256 } = isObject(lfs) ? lfs : {};
    files.set(rfilename, {
      ...(Number.isSafeInteger(size) && (size as number) >= 0 && { size: size as number }),
      ...(typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256) && { sha256 }),
    });
  }
  return { commit: sha, files };
}
