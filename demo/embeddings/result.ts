import type { Embeddings } from '../../src/index';
import type { Item } from './texts';

/** What a run of the tab gave. */
export interface Result {
  model: string;
  /** What stood before every text. */
  prompt: string;
  items: Item[];
  embeddings: Embeddings;
  /** Cosines [rows, rows]. */
  all: Float32Array;
}
