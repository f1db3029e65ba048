import type { Dtype, Model, ModelSource } from '../../src/index';
import { loadModel } from '../../src/index';
import { describeProgress, type LoadProgress } from '../../src/progress';
import { aborted } from '../dom';

/** A model that can be loaded and what to call it. */
export interface Choice {
  name: string;
  source: ModelSource;
  dtype?: Dtype;
}

export const isHubId = (text: string): boolean => /^[\w.-]+\/[\w.-]+$/.test(text);

/** A model of the Hugging Face Hub. Throws an Error in words if `text` cannot be its id. */
export function hubChoice(text: string): Choice {
  const id = text.trim();
  if (isHubId(id)) return { name: id, source: id };
  throw new Error('Give the Hub id as organisation/model, for example answerdotai/ModernBERT-base.');
}

/** One user's hold on a model that others may use as well. */
export interface Lease {
  /** Rejects with what loading failed with, and with an AbortError after `release`. */
  loaded: Promise<Model>;
  /** Lets go. The last one to do so ends the loading or frees the GPU. */
  release(): Promise<void>;
  /** The model's GPU was lost: who asks for this choice from now on gets a new one. */
  forget(): void;
}

interface Shared {
  loaded: Promise<Model>;
  controller: AbortController;
  listeners: Set<(progress: LoadProgress) => void>;
  latest: LoadProgress | undefined;
  users: number;
}

/** Whether two choices load the same model. */
export const sameChoice = (a: Choice, b: Choice): boolean => a.source === b.source && a.dtype === b.dtype;

/** The page's models: those who choose the same source and dtype share one. */
export function createModelStore(load: typeof loadModel = loadModel): {
  take(choice: Choice, onProgress: (progress: LoadProgress) => void): Lease;
} {
  const held = new Map<Choice, Shared>();

  function start(choice: Choice): Shared {
    const controller = new AbortController();
    const listeners: Shared['listeners'] = new Set();
    const onProgress = describeProgress((progress) => {
      shared.latest = progress;
      for (const listener of listeners) listener(progress);
    });
    const { source, dtype } = choice;
    const loaded = load(source, { dtype, signal: controller.signal, onProgress });
    const shared: Shared = { loaded, controller, listeners, latest: undefined, users: 0 };
    held.set(choice, shared);
    loaded.catch(() => drop(shared)); // the next one to ask tries again
    return shared;
  }

  function drop(shared: Shared) {
    for (const [choice, other] of held) if (other === shared) held.delete(choice);
  }

  return {
    take(choice, onProgress) {
      const known = [...held].find(([other]) => sameChoice(other, choice));
      const shared = known ? known[1] : start(choice);
      shared.users++;
      shared.listeners.add(onProgress);
      if (shared.latest) onProgress(shared.latest);
      const released = new AbortController();
      const loaded = Promise.race([shared.loaded, aborted(released.signal)]);
      loaded.catch(() => {}); // its user may have gone
      return {
        loaded,
        forget: () => drop(shared),
        async release() {
          if (released.signal.aborted) return;
          released.abort();
          shared.listeners.delete(onProgress);
          if (--shared.users > 0) return;
          drop(shared);
          shared.controller.abort();
          await shared.loaded.then((model) => model.dispose()).catch(() => {}); // never came to be, or is gone already
        },
      };
    },
  };
}
