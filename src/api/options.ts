/** Options by their names, so that a misspelt one is an error instead of a default. */
import type { CallOptions } from './calls';
import type { FileOptions, LoadOptions } from './types';

/** Every name of an options type; the compiler rejects a missing and a surplus one. */
export type OptionNames<T> = Record<keyof T, true>;

export const CALL_OPTIONS: OptionNames<CallOptions> = { signal: true, onProgress: true, truncate: true };

export const FILE_OPTIONS: OptionNames<FileOptions> = {
  revision: true,
  token: true,
  hubUrl: true,
  stallTimeout: true,
  onProgress: true,
  signal: true,
};

export const LOAD_OPTIONS: OptionNames<LoadOptions> = {
  ...FILE_OPTIONS,
  cache: true,
  dtype: true,
  adapter: true,
  adapters: true,
  arithmetic: true,
  compute: true,
  task: true,
  autotune: true,
  selfCheck: true,
  recover: true,
  keepAlive: true,
  profile: true,
  maxLength: true,
  stripTexts: true,
  maxTokensPerPass: true,
  gpu: true,
};

/** Throws a TypeError for anything but an object (or undefined), and for an option that `what` does not have. */
export function checkOptions(what: string, options: unknown, names: Record<string, true>): void {
  if (options === undefined) return;
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(
      `The options of ${what} must be an object, not ${options === null ? 'null' : Array.isArray(options) ? 'an array' : `a ${typeof options}`}.`,
    );
  }
  const known = Object.keys(names);
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(names, name)) continue;
    const [nearest] = known
      .map((one) => ({ one, edits: editsBetween(one.toLowerCase(), name.toLowerCase()) }))
      .sort((a, b) => a.edits - b.edits);
    const hint =
      nearest.edits <= Math.max(2, name.length / 3)
        ? `Did you mean '${nearest.one}'?`
        : `Its options are ${known.join(', ')}.`;
    throw new TypeError(`${what} has no option '${name.slice(0, 100)}'. ${hint}`);
  }
}

/** Levenshtein's distance: how many letters to insert, delete or replace. */
function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length];
}
