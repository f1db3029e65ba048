// Values that are too large for tab-state.ts, in the browser's database.
import { createStore, del, get, set } from 'idb-keyval';

/** A value that stays on this device until it is deleted. Where nothing may be kept, nothing is, and reading gives undefined. */
export interface KeptValue<T> {
  read(): Promise<T | undefined>;
  /** One after the other, the latest last. Undefined deletes. */
  write(value: T | undefined): Promise<void>;
}

let database: ReturnType<typeof createStore> | undefined;

/** Where all of them are. */
export function keptStore(): ReturnType<typeof createStore> {
  database ??= createStore('modernbert-webgpu/page', 'values');
  return database;
}

/** `name`: the tab's and the value's, such as `embeddings/files`. The value is one that IndexedDB can hold. */
export function keptValue<T>(name: string): KeptValue<T> {
  let writing = Promise.resolve();
  return {
    read: () => writing.then(() => get<T>(name, keptStore())).catch(() => undefined),
    write(value) {
      writing = writing
        .then(() => (value === undefined ? del(name, keptStore()) : set(name, value, keptStore())))
        .catch((reason) => console.info(`${name} is not kept for the next visit:`, reason));
      return writing;
    },
  };
}
