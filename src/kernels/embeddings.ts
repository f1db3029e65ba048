import type { Dtype } from '../api/types';
import source from './embeddings.wgsl?raw';
import type { KernelStep, Operand } from './step';
import { weightConstants } from './storage';

export interface EmbeddingsSpec {
  /** Floats per row on the GPU: hidden, padded. */
  stride: number;
  dtype: Dtype;
  /** The piece of the table: ids `firstId` .. `firstId + ids`. */
  firstId: number;
  ids: number;
  /** Rows of position_embeddings and of token_type_embeddings; 0: the model has none. */
  positions: number;
  types: number;
}

/** Rows per workgroup: buffers must hold a multiple of this. */
const ROWS = 4;

/**
 * hidden_states = w[input_ids] + position_embeddings[positions] + token_type_embeddings[token_type_ids] [tokens, stride], of the tokens whose
 * ids are in this piece w of the table. Source: Devlin et al. 2019 (arXiv:1810.04805), figure 2.
 */
export const embeddings = <S>(
  { dtype, stride, firstId, ids, positions, types }: EmbeddingsSpec,
  buffers: Record<
    | 'input_ids'
    | 'w'
    | 'w_scales'
    | 'positions'
    | 'position_embeddings'
    | 'token_type_ids'
    | 'token_type_embeddings'
    | 'hidden_states',
    Operand<S>
  >,
  count: (sizes: S) => number,
): KernelStep<S> => ({
  label: 'embeddings',
  kernel: {
    label: 'embeddings',
    source,
    constants: {
      ...weightConstants(dtype),
      STRIDE: stride,
      FIRST_ID: firstId,
      IDS: ids,
      POSITIONS: positions,
      TYPES: types,
    },
  },
  buffers,
  workgroups: (sizes) => [Math.ceil(count(sizes) / ROWS)],
});
