import { unlessAborted } from '../api/errors';
import type { LoadOptions, Model, ModelSource, Progress } from '../api/types';

type Load = (source: ModelSource, options: LoadOptions) => Promise<Model>;

/** A model that is loaded or loads, and who uses it or waits for it. */
interface Shared {
  users: number;
  model: Promise<Model>;
  end: AbortController;
  waiting: Set<NonNullable<LoadOptions['onProgress']>>;
  /** The last report of each file, for those who come later. */
  reports: Map<string, Progress>;
}

/**
 * As `load`, but one model for all that ask for the same source with the same options. Each gets a Model, whose `dispose` lets go of it; it ends
 * with the last. `signal` ends only the caller's wait; the load ends if nobody waits any more.
 */
export function shareModels(load: Load): Load {
  const all = new Map<string, Shared>();

  function start(key: string, source: ModelSource, options: LoadOptions): Shared {
    const end = new AbortController();
    const waiting: Shared['waiting'] = new Set();
    const reports: Shared['reports'] = new Map();
    const onProgress = (progress: Progress) => {
      reports.set(progress.file, progress);
      for (const report of waiting) report(progress);
    };
    const model = load(source, { ...options, signal: end.signal, onProgress });
    const shared = { users: 0, model, end, waiting, reports };
    all.set(key, shared);
    model.catch(() => forget(key, shared)); // the next one tries afresh
    return shared;
  }

  function forget(key: string, shared: Shared) {
    if (all.get(key) === shared) all.delete(key);
  }

  /** Resolves once the model is freed, if this was its last user. */
  async function leave(key: string, shared: Shared): Promise<void> {
    if (--shared.users > 0) return;
    forget(key, shared);
    shared.end.abort();
    const model = await shared.model.catch(() => undefined);
    await model?.dispose();
  }

  return async (source, { signal, onProgress, ...options }) => {
    const key = keyOf(source, options);
    const shared = all.get(key) ?? start(key, source, options);
    shared.users++;
    if (onProgress) {
      for (const progress of shared.reports.values()) onProgress(progress);
      shared.waiting.add(onProgress);
    }
    try {
      const model = await unlessAborted(shared.model, signal);
      let left: Promise<void> | undefined;
      return {
        ...model,
        dispose() {
          left ??= leave(key, shared);
          return left;
        },
      };
    } catch (error) {
      leave(key, shared).catch(() => {}); // a model that nobody has
      throw error;
    } finally {
      if (onProgress) shared.waiting.delete(onProgress);
    }
  };
}

/** Options that are undefined do not count. */
const keyOf = (source: ModelSource, options: LoadOptions) =>
  JSON.stringify([source, Object.fromEntries(Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1)))]);
