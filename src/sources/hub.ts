import { abortReason, ModelFileError } from '../api/errors';
import type { FileOptions } from '../api/types';
import type { Identity, ModelFiles } from '../formats/model-files';
import { readJson } from '../formats/read';
import { type Expected, type HttpOptions, openHttp } from './http';

const HUB_URL = 'https://huggingface.co';

export type HubOptions = Pick<FileOptions, 'revision' | 'token' | 'hubUrl'> &
  Pick<HttpOptions, 'retryDelay' | 'sha256'>;

/** The commit of a revision, and its files with what the Hub knows about them. */
interface Snapshot {
  commit: string;
  files: Map<string, Expected>;
}

export const encodePath = (path: string): string => path.split('/').map(encodeURIComponent).join('/');

/**
 * Files of a Hub repository, `{hubUrl}/{id}/resolve/{commit}/{file}`. One request to the Hub resolves the revision to a commit and lists its
 * files, with size and sha256 of the large ones. From a mirror without that list, files are read by revision; once an answer names its
 * commit, the following files are read from that. The token is sent to `hubUrl` only: fetch drops it when a redirect leaves the origin.
 */
export function hubFiles(id: string, options: HubOptions): ModelFiles {
  const { hubUrl = HUB_URL, revision = 'main', token, retryDelay, sha256 } = options;
  if (token !== undefined && !/^[!-~]+$/.test(token)) {
    throw new TypeError('token has characters that an access token cannot have (spaces, line ends or non-ASCII).');
  }
  const hub = hubUrl.replace(/\/+$/, '');
  const repository = `${hub}/${id}`;
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const identity: Identity = { source: id, hubUrl: hub === HUB_URL ? undefined : hub, revision };
  const missing = new Map<string, string>();
  let asking: Promise<Snapshot | undefined> | undefined;

  async function snapshot(signal: AbortSignal | undefined): Promise<Snapshot | undefined> {
    const address = `${hub}/api/models/${id}/revision/${encodeURIComponent(identity.commit ?? revision)}?blobs=true`;
    try {
      const where = 'the Hub';
      const open = async (name: string) => {
        const answer = await openHttp(name, address, { headers, signal, retryDelay });
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
    whyMissing: (name) => missing.get(name),
    async open(name, signal) {
      asking ??= snapshot(signal);
      const found = await asking;
      if (found) {
        identity.commit ??= found.commit;
        if (!found.files.has(name)) {
          missing.set(name, `commit ${found.commit} has no such file`);
          return undefined;
        }
      }
      // A revision such as refs/pr/1 is one segment of the path, so its '/' is encoded too.
      const url = `${repository}/resolve/${encodeURIComponent(identity.commit ?? revision)}/${encodePath(name)}`;
      const expected = found?.files.get(name);
      const answer = await openHttp(name, url, { headers, signal, retryDelay, sha256, expected });
      if ('missing' in answer) {
        missing.set(name, answer.missing);
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

/** Reads the Hub's answer about a revision; undefined for any other JSON. */
function parseSnapshot(json: unknown): Snapshot | undefined {
  const { sha, siblings } = (json ?? {}) as { sha?: unknown; siblings?: unknown };
  if (typeof sha !== 'string' || !Array.isArray(siblings)) return undefined;
  const files = new Map<string, Expected>();
  for (const { rfilename, size, lfs } of siblings as {
    rfilename: string;
    size?: number;
    lfs?: { sha256?: string };
  }[]) {
    files.set(rfilename, { ...(typeof size === 'number' && { size }), ...(lfs?.sha256 && { sha256: lfs.sha256 }) });
  }
  return { commit: sha, files };
}
