import type { Embeddings } from '../../src/index';
import type { Choice } from '../models/model-store';
import type { AskedOptions } from './embed-options';
import type { Item } from './texts';

/** What a run of the tab was asked and gave. */
export interface Result {
  /** The model that made it. */
  choice: Choice;
  options: AskedOptions;
  items: Item[];
  embeddings: Embeddings;
  /** Cosines of all pairs [rows, rows], and an order in which like stands beside like. Undefined of too many texts. */
  pairs: { all: Float32Array; order: number[] } | undefined;
}
