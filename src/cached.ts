/** What this origin keeps on the device. A file of its own, which pages load when they ask. */
import type { CachedModel } from './api';
import { deleteEntries, listEntries } from './files/store';
import { browserStore } from './files/store-browser';

export const list = (): Promise<CachedModel[]> => listEntries(browserStore);

export const remove = (which: CachedModel | string): Promise<number> => deleteEntries(browserStore, which);
