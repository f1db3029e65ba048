import { type DBSchema, type IDBPDatabase, openDB } from 'idb';

/** A file's text. `hash`: SHA-256 of the file, in hex. `names`: with folders; several where the same file came more than once. */
export interface Document {
  hash: string;
  names: string[];
  text: string;
}

/** What the user has, all but the vectors. Labels may be of files and classes that are no longer there. */
export interface Saved {
  documents: Document[];
  labels: Map<string, string>;
  classes: string[];
}

/** What the tab keeps on this device. Everything rejects with the browser's DOMException where nothing can be kept. */
export interface Store {
  read(): Promise<Saved>;
  putDocuments(documents: Document[]): Promise<void>;
  removeDocument(hash: string): Promise<void>;
  /** By hash; undefined takes a label away. */
  putLabels(labels: ReadonlyMap<string, string | undefined>): Promise<void>;
  putClasses(classes: string[]): Promise<void>;
  /** The vectors of a space (Embeddings.embeddingSpace), by hash. */
  vectors(space: string): Promise<Map<string, Float32Array>>;
  putVectors(space: string, vectors: ReadonlyMap<string, Float32Array>): Promise<void>;
  clear(): Promise<void>;
}

interface Schema extends DBSchema {
  documents: { key: string; value: Document };
  labels: { key: string; value: string };
  /** The only key is 'classes'. */
  settings: { key: string; value: string[] };
  /** By space and hash. */
  vectors: { key: [string, string]; value: Float32Array };
}

const STORES = ['documents', 'labels', 'settings', 'vectors'] as const;

/** The database `modernbert-webgpu/sort` of this origin. Each change is one transaction, so that several tabs may use it. */
export function createStore(): Store {
  let opened: Promise<IDBPDatabase<Schema>> | undefined;
  const database = () => {
    opened ??= openDB<Schema>('modernbert-webgpu/sort', 1, {
      upgrade(db) {
        db.createObjectStore('documents', { keyPath: 'hash' });
        for (const name of ['labels', 'settings', 'vectors'] as const) db.createObjectStore(name);
      },
      // Another page, or the list of what is stored, deletes it.
      blocking(_current, _blocked, event) {
        (event.target as IDBDatabase).close();
        opened = undefined;
      },
      terminated() {
        opened = undefined;
      },
    });
    opened.catch(() => {
      opened = undefined;
    });
    return opened;
  };

  return {
    async read() {
      const transaction = (await database()).transaction(['documents', 'labels', 'settings']);
      const labels = transaction.objectStore('labels');
      const [documents, keys, values, classes = []] = await Promise.all([
        transaction.objectStore('documents').getAll(),
        labels.getAllKeys(),
        labels.getAll(),
        transaction.objectStore('settings').get('classes'),
      ]);
      return { documents, labels: new Map(keys.map((key, i) => [key, values[i]])), classes };
    },
    async putDocuments(documents) {
      const transaction = (await database()).transaction('documents', 'readwrite');
      await Promise.all([...documents.map((one) => transaction.store.put(one)), transaction.done]);
    },
    removeDocument: async (hash) => (await database()).delete('documents', hash),
    async putLabels(labels) {
      const transaction = (await database()).transaction('labels', 'readwrite');
      const put = ([hash, label]: [string, string | undefined]): Promise<unknown> =>
        label === undefined ? transaction.store.delete(hash) : transaction.store.put(label, hash);
      await Promise.all([...[...labels].map(put), transaction.done]);
    },
    async putClasses(classes) {
      await (await database()).put('settings', classes, 'classes');
    },
    async vectors(space) {
      const range = IDBKeyRange.bound([space], [space, []]); // a list is after every string
      const transaction = (await database()).transaction('vectors');
      const [keys, values] = await Promise.all([transaction.store.getAllKeys(range), transaction.store.getAll(range)]);
      return new Map(keys.map(([, hash], i) => [hash, values[i]]));
    },
    async putVectors(space, vectors) {
      const transaction = (await database()).transaction('vectors', 'readwrite');
      const put = ([hash, vector]: [string, Float32Array]) => transaction.store.put(vector, [space, hash]);
      await Promise.all([...[...vectors].map(put), transaction.done]);
    },
    async clear() {
      const transaction = (await database()).transaction(STORES, 'readwrite');
      await Promise.all([...STORES.map((name) => transaction.objectStore(name).clear()), transaction.done]);
    },
  };
}
