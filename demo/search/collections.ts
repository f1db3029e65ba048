import type { Model } from '../../src/index';
import { createIndex, type IndexProgress, importIndex, indexedDbStore, type SearchIndex } from '../../src/search';
import { EMBEDDERS } from '../models/built-in';
import type { ModelPicker } from '../models/model-picker';
import { readSample } from '../sample';
import type { TabState } from '../tab-state';
import { INDEX_OPTIONS, type Section } from './sections';

export type Index = SearchIndex<Section>;
/** What is searched: the book that comes with the page, or the user's files. */
export type CollectionName = 'sample' | 'own';

/** The indexes of the tab. They open before the model is there: words find at once. */
export interface Collections {
  /** The index, opened if it is not. Without files of their own yet, users wait for the model. */
  open(name: CollectionName): Promise<Index>;
  /** The model that made the vectors; undefined while there are none. */
  madeBy(name: CollectionName): string | undefined;
  /** Embeds all of it again, with `model`. */
  rebuild(
    name: CollectionName,
    model: Model,
    options: { signal: AbortSignal; onProgress(p: IndexProgress): void },
  ): Promise<void>;
  /** Puts a file that `export` made in the place of the user's index. */
  replace(model: Model, file: Blob, signal: AbortSignal): Promise<void>;
  /** Keeps which model made the user's index, if there is one. */
  setOwn(madeBy: string | undefined): void;
  /** Reads the user's index again: another tab has changed it. */
  reload(): Promise<void>;
  /** The picker has another model, or none: what is open belongs to the one before. */
  modelChanged(): void;
}

const STORE = 'demo';
/** The key of the state that says which model made the user's index. */
const MADE_BY = 'made-by';

function later<T>() {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

export function createCollections(picker: ModelPicker, state: TabState): Collections {
  const opened = new Map<CollectionName, Promise<Index>>();
  let sampleBy = EMBEDDERS[0].name;
  let bound: Model | undefined;
  let wanted = later<Model>();

  async function openSample(): Promise<Index> {
    const file = await readSample();
    sampleBy = EMBEDDERS[0].name;
    return importIndex<Section>(wanted.promise, file);
  }

  const openOwn = () => createIndex<Section>(wanted.promise, { ...INDEX_OPTIONS, store: indexedDbStore(STORE) });

  function open(name: CollectionName): Promise<Index> {
    const known = opened.get(name);
    if (known) return known;
    const opening = name === 'sample' ? openSample() : openOwn();
    opened.set(name, opening);
    opening.catch(() => opened.get(name) === opening && opened.delete(name)); // the next one to ask tries again
    return opening;
  }

  /** Takes `index` in the place of what is open, or nothing. */
  async function exchange(name: CollectionName, index?: Index) {
    const before = opened.get(name);
    if (index) opened.set(name, Promise.resolve(index));
    else opened.delete(name);
    await before?.then((old) => old.close()).catch(() => {});
  }

  const setOwn = (madeBy: string | undefined) => state.keep(MADE_BY, madeBy);

  return {
    open,
    setOwn,
    madeBy: (name) => (name === 'sample' ? sampleBy : state.get(MADE_BY)),
    async rebuild(name, model, options) {
      if (name === 'own') {
        await exchange('own');
        const store = indexedDbStore(STORE);
        await exchange(
          'own',
          await createIndex<Section>(model, { ...INDEX_OPTIONS, store, rebuild: true, ...options }),
        );
        return setOwn(picker.name());
      }
      const index = await createIndex<Section>(model, INDEX_OPTIONS);
      await index.add((await open('sample')).documents(), options);
      await exchange('sample', index);
      sampleBy = picker.name();
    },
    async replace(model, file, signal) {
      const index = await importIndex<Section>(model, file, { store: indexedDbStore(STORE), signal });
      await exchange('own', index);
      setOwn(picker.name());
    },
    reload: () => exchange('own'),
    modelChanged() {
      const model = picker.current();
      if (model === bound) return;
      if (bound) {
        for (const name of [...opened.keys()]) void exchange(name);
        wanted = later<Model>();
      }
      bound = model;
      if (model) wanted.resolve(model);
    },
  };
}
