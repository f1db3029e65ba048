/** An index in the browser's IndexedDB. */
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import type { IndexHeader, IndexRecord, IndexStore } from './types';

interface Schema extends DBSchema {
  /** The header, under the key 'header'. */
  index: { key: string; value: IndexHeader };
  documents: { key: string; value: IndexRecord };
}

/** Records per request: browsers copy the answer of a request as a whole. */
const PAGE = 1000;

/**
 * A store in IndexedDB: the database `modernbert-webgpu/search/NAME` of this origin. Several pages may use it at a time: a change is one transaction,
 * which makes sure that no other page has written since, so it needs no Web Locks. Reading and writing reject with the browser's DOMException where
 * there is no storage (some private windows) or no more space (QuotaExceededError). A browser may delete the data of a site unless it was asked to
 * keep them (navigator.storage.persist). To delete the store, close its indexes and call `indexedDB.deleteDatabase`.
 */
export function indexedDbStore(name: string): IndexStore {
  if (typeof name !== 'string' || name === '') throw new TypeError('indexedDbStore needs a name, a string.');
  let opened: Promise<IDBPDatabase<Schema>> | undefined;
  const database = () => {
    opened ??= openDB<Schema>(`modernbert-webgpu/search/${name}`, 1, {
      upgrade(db) {
        db.createObjectStore('index');
        db.createObjectStore('documents', { keyPath: 'id' });
      },
      // Another page deletes the database.
      blocking: () => void close(),
      terminated: () => {
        opened = undefined;
      },
    });
    return opened;
  };
  const close = async () => {
    const db = await opened?.catch(() => undefined);
    opened = undefined;
    db?.close();
  };
  return {
    async read() {
      // In one transaction, so that all is of one revision.
      const transaction = (await database()).transaction(['index', 'documents']);
      const header = await transaction.objectStore('index').get('header');
      if (!header) return undefined;
      const documents = transaction.objectStore('documents');
      const records: IndexRecord[] = [];
      for (let page: IndexRecord[] | undefined; !page || page.length === PAGE; ) {
        const after = page && IDBKeyRange.lowerBound(page[PAGE - 1].id, true);
        page = await documents.getAll(after, PAGE);
        for (const record of page) records.push(record);
      }
      return { header, records };
    },
    async write({ base, header, clear, remove, put }) {
      const transaction = (await database()).transaction(['index', 'documents'], 'readwrite');
      const index = transaction.objectStore('index');
      const documents = transaction.objectStore('documents');
      const stored = await index.get('header');
      if ((stored?.revision ?? 0) !== base) {
        await transaction.done;
        return false;
      }
      // An error of a request ends the transaction, which then reports it.
      const ask = (request: Promise<unknown>) => void request.catch(() => {});
      try {
        ask(index.put(header, 'header'));
        if (clear) ask(documents.clear());
        for (const id of remove) ask(documents.delete(id));
        for (const record of put) ask(documents.put(record));
      } catch (error) {
        // A record that cannot be cloned throws at once, and would leave the others to be stored.
        transaction.done.catch(() => {});
        transaction.abort();
        throw error;
      }
      await transaction.done;
      return true;
    },
    close,
  };
}
