import type { Pooling } from '../../api/calls';
import { type Head, notNormalized } from './head';
import { allTokens, answerOf, chosenTokens, normalized, pooled } from './rows';

export interface PooledOptions {
  /** Put side by side, in place of those of the checkpoint's own Pooling. */
  pooling: Pooling[];
  /** To unit length, after `dimensions`. */
  normalize: boolean;
  /** See Head. */
  skip?: number;
  /** Numbers to keep; default all. */
  dimensions?: number;
}

/** One embedding per sequence, through the checkpoint's modules: [sequences, dimensions]. */
export const pooledEmbedding = ({ pooling, normalize, skip = 0, dimensions }: PooledOptions): Head => ({
  key: JSON.stringify(['pooled', pooling, normalize, skip, dimensions]),
  by: 'sequence',
  skip,
  ...(normalize && { problem: notNormalized }),
  build({ encoder, modules }) {
    if (!modules.some(({ module }) => module.kind === 'Pooling'))
      throw new TypeError('This checkpoint has no Pooling.');
    const rows = modules.reduce(
      (before, { module, apply }) => (module.kind === 'Pooling' ? pooled(before, pooling) : apply(before)),
      allTokens(encoder),
    );
    const kept = { ...rows, columns: dimensions ?? rows.columns };
    return answerOf(normalize ? normalized(kept) : kept);
  },
});

/** One embedding of unit length per row (multi-vector models), through the checkpoint's modules: [rows, columns]. */
export const tokenEmbeddings: Head = {
  key: 'token_embeddings',
  by: 'row',
  problem: notNormalized,
  build: ({ encoder, modules }) =>
    answerOf(normalized(modules.reduce((before, { apply }) => apply(before), chosenTokens(encoder)))),
};
