import type { Slot, Step } from '../../kernels/step';
import type { ChunkSizes } from '../family';
import type { LoadedModel } from '../model';

/** Something to compute from the encoder's hidden states, as a value: calls ask for it, and those that ask for the same share the work. */
export interface Head {
  /** Equal for heads that compute the same. */
  key: string;
  /** What its rows are: rows of the stream (tokens), or whole sequences. */
  by: 'row' | 'sequence';
  /** Tokens at the start of each sequence, such as a prompt's, that poolings other than cls leave out. Default 0. */
  skip?: number;
  /** Throws a TypeError if the checkpoint lacks what it needs; calls check that before. */
  build(model: LoadedModel): HeadSteps;
}

/** A head's work on one chunk of rows. */
export interface HeadSteps {
  steps: Step<ChunkSizes>[];
  /** Where the answer then lies: [rows, stride] of 32-bit words, of which the first `width` of each row count. */
  answer: Slot;
  stride: number;
  width: number;
}
