/**
 * One model for all tabs of a site, `modernbert-webgpu/shared`: the first tab loads it, the others use it. One file, which imports index.js, and
 * shared-worker.js beside it. The guide is docs/guide/shared.md.
 */
import { checkOptions, LOAD_OPTIONS, type OptionNames } from './api/options';
import type { LoadOptions, Model } from './api/types';
import { loadModel as loadOwn } from './index';
import { createTab, type SharedBy } from './shared/tab';
import { startLeader, startSharedWorker } from './start-shared-worker';

export type { SharedBy } from './shared/tab';

/** Without `adapters`: changing from one to another would change the model of the other tabs. */
export interface SharedLoadOptions extends Omit<LoadOptions, 'gpu' | 'adapters' | 'adapter'> {
  /** As `adapter` of loadModel, but not files. */
  adapter?: string | URL;
}

export interface SharedModel extends Model {
  /** Who runs the model now. */
  readonly sharedBy: SharedBy;
}

const { gpu: _, adapters: __, ...names } = LOAD_OPTIONS;
const OPTIONS: OptionNames<SharedLoadOptions> = names;

const tab = createTab({ startSharedWorker, startLeader });

/**
 * As `loadModel` of modernbert-webgpu, but tabs that load the same source with the same options share one model. `dispose` lets this tab go of it,
 * as closing the tab does; the model ends with the last. Without SharedWorker or Web Locks, each tab has a model of its own.
 *
 * Throws what that one does, and a TypeError for files, which belong to one tab.
 */
export async function loadModel(source: string | URL, options: SharedLoadOptions = {}): Promise<SharedModel> {
  checkOptions('loadModel of modernbert-webgpu/shared', options, OPTIONS);
  checkShareable('The source', source);
  if (options.adapter !== undefined) checkShareable('adapter', options.adapter);
  const canShare = 'SharedWorker' in globalThis && navigator.locks !== undefined;
  const model = await loadOwn(source, canShare ? { ...options, worker: tab.join } : options);
  return Object.defineProperty(model, 'sharedBy', {
    get: () => (canShare ? tab.sharedBy() : undefined),
    enumerable: true,
  }) as SharedModel;
}

function checkShareable(what: string, source: unknown) {
  if (typeof source === 'string' || source instanceof URL) return;
  throw new TypeError(
    `${what} of a shared model must be a Hub id or a URL: files belong to one tab. Load them by loadModel of modernbert-webgpu.`,
  );
}
