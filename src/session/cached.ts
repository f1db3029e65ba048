/** The models that this origin keeps on the device: a separate chunk that pages load on first use. */
import type { CachedModel } from '../api/types';
import { browserStore } from '../store/browser';
import { deleteEntries, listEntries } from '../store/entries';

export const list = (): Promise<CachedModel[]> => listEntries(browserStore);

export const remove = (which: CachedModel | string): Promise<number> => deleteEntries(browserStore, which);
