import type { Model } from '../../src/index';
import { isAbort } from '../dom';
import type { ModelPicker } from '../models/model-picker';
import type { ProgressStep } from '../progress-view';
import type { Collection } from './collection';
import { embedDocuments, embedNames } from './embed';
import { type Learnt, learn, stillKnown } from './learn';
import type { Document, Store } from './store';

/** What embeds the documents in the background and guesses their classes. */
export interface Engine {
  readonly learnt: Learnt;
  /** The name of the model that `learnt` is by. */
  readonly madeBy: string;
  /** Embeds what has no vector yet, if nothing does so, and guesses again as results come in. */
  run(): void;
  cancel(): void;
  /** Guesses again: labels or classes have changed. */
  relearn(): void;
  /** A class has another name. */
  rename(from: string, to: string): void;
  /** The picker has another model, or none. */
  modelChanged(): void;
  /** How many documents have no vector by the current model. */
  missing(): number;
  isBusy(): boolean;
  /** Lets go of all vectors and guesses. */
  forget(): void;
}

/** Characters of the documents that are embedded at a time: then their guesses come in and the work can be stopped. */
const BATCH = 20_000;
const MOST = 16;
/** What tabs do one after the other: the second finds the vectors of the first. */
const LOCK = 'modernbert-webgpu/demo/sort';
const NOTHING: Learnt = { scores: new Map(), examples: [] };

/** The first documents of a list that are embedded together. */
export function batchOf(documents: Document[]): Document[] {
  let characters = 0;
  const end = documents.findIndex(({ text }, i) => {
    characters += text.length;
    return i > 0 && (i >= MOST || characters > BATCH);
  });
  return end < 0 ? documents : documents.slice(0, end);
}

export function createEngine(
  collection: Collection,
  store: Store,
  picker: ModelPicker,
  on: {
    progress(step: ProgressStep | undefined): void;
    update(): void;
    error(error: unknown): void;
    problem(error: unknown): void;
  },
): Engine {
  let vectors = new Map<string, Float32Array>();
  let names = new Map<string, Float32Array>();
  let space: string | undefined;
  let chosen = picker.choice();
  let job: AbortController | undefined;
  let isLearning = false;
  let isAsked = false;
  let learnt = NOTHING;
  let madeBy = '';

  const missing = () => [...collection.documents.values()].filter(({ hash }) => !vectors.has(hash));

  /** Takes the vectors that are kept of this model's. */
  async function openSpace(model: Model, signal: AbortSignal) {
    const opened = (await embedNames(model, ['a'], signal)).space;
    const kept = await store.vectors(opened).catch((error) => {
      on.problem(error);
      return new Map<string, Float32Array>();
    });
    if (opened !== space) names = new Map();
    vectors = opened === space ? new Map([...kept, ...vectors]) : kept;
    space = opened;
  }

  async function embed(model: Model, signal: AbortSignal) {
    const before = space;
    await openSpace(model, signal);
    const isOther = before !== undefined && before !== space;
    const total = collection.documents.size;
    const what = isOther ? `Reading again with ${picker.name()}, whose vectors differ` : 'Reading with the model';
    relearn();
    for (let open = missing(); open.length > 0; open = missing()) {
      on.progress({
        what,
        done: collection.documents.size - open.length,
        total: Math.max(total, collection.documents.size),
        unit: 'file',
      });
      const batch = batchOf(open);
      const made = await embedDocuments(
        model,
        batch.map(({ text }) => text),
        signal,
      );
      signal.throwIfAborted();
      const own = new Map(batch.map(({ hash }, i) => [hash, made[i]]));
      for (const [hash, vector] of own) vectors.set(hash, vector);
      await store.putVectors(space as string, own).catch(on.problem);
      relearn();
    }
  }

  async function run() {
    if (job || missing().length === 0) return;
    const own = new AbortController();
    const { signal } = own;
    job = own;
    let isDone = false;
    on.progress({ what: 'Waiting for another tab of this page' });
    try {
      await navigator.locks.request(LOCK, { signal }, async () => {
        on.progress({ what: 'Loading the model' });
        await picker.use(signal, (model) => embed(model, signal));
      });
      isDone = true;
    } catch (error) {
      if (job === own && !isAbort(error)) on.error(error);
    } finally {
      if (job === own) {
        job = undefined;
        on.progress(undefined);
        if (isDone) void run(); // files may have come at the last moment
      }
    }
  }

  async function learnNow(model: Model, signal: AbortSignal) {
    const { classes } = collection;
    if (space === undefined || classes.length < 2) {
      learnt = NOTHING;
      return;
    }
    const unknown = classes.filter((name) => !names.has(name));
    if (unknown.length > 0) {
      const made = await embedNames(model, unknown, signal);
      if (made.space !== space) return; // the model has just changed: what embeds the files again asks again
      for (const [i, name] of unknown.entries()) names.set(name, made.vectors[i]);
    }
    const known = {
      documents: [...collection.documents.values()],
      classes,
      labels: collection.labels(),
      vectors,
      names: classes.map((name) => names.get(name) as Float32Array),
      space,
    };
    const by = picker.name();
    const found = await learn(known, model.info);
    if (space !== known.space || picker.current() !== model) return; // of a model that is not the one chosen any more
    learnt = found;
    madeBy = by;
  }

  async function relearn() {
    isAsked = true;
    if (isLearning) return;
    isLearning = true;
    const { signal } = new AbortController();
    let by = picker.choice();
    try {
      while (isAsked) {
        isAsked = false;
        by = picker.choice();
        if (vectors.size === 0 || collection.classes.length < 2) learnt = NOTHING;
        else await picker.use(signal, (model) => learnNow(model, signal));
        on.update();
      }
    } catch (error) {
      // A model that was let go meanwhile cannot answer any more; the next one is asked when it has read the files.
      if (!isAbort(error) && by === picker.choice()) on.error(error);
    } finally {
      isLearning = false;
    }
  }

  return {
    get learnt() {
      return stillKnown(learnt, collection.classes);
    },
    get madeBy() {
      return madeBy;
    },
    run: () => void run(),
    relearn: () => void relearn(),
    rename(from, to) {
      learnt = stillKnown(learnt, collection.classes, { from, to });
      void relearn();
    },
    cancel: () => job?.abort(),
    modelChanged() {
      if (picker.choice() !== chosen) {
        chosen = picker.choice();
        job?.abort(); // what it makes belongs to the model before
        job = undefined;
        vectors = new Map();
        learnt = NOTHING;
        on.update();
        void run();
      } else if (picker.current()) void run();
    },
    missing: () => missing().length,
    isBusy: () => job !== undefined,
    forget() {
      job?.abort();
      vectors = new Map();
      learnt = NOTHING;
    },
  };
}
