import type { Embeddings } from '../../src/index';
import type { Item } from './texts';

/** What a run of the tab gave. */
export interface Result {
  model: string;
  /** What stood before every text. */
  prompt: string;
  items: Item[];
  embeddings: Embeddings;
  /** Cosines of all pairs [rows, rows], and an order in which like stands beside like. Undefined of too many texts. */
  pairs: { all: Float32Array; order: number[] } | undefined;
}
