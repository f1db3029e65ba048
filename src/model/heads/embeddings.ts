import type { Pooling } from '../../api/embeddings';
import { poolingModule } from '../modules/pooling';
import { type Chain, chainOf } from '../sentence';
import { type Head, notNormalized, unitLength } from './head';
import { allTokens, answerOf, chosenTokens, normalized } from './rows';

export interface EmbeddingOptions {
  /** Put side by side, in place of those of the chain's own Pooling. */
  pooling?: Pooling[];
  /** To unit length, after `dimensions`. */
  normalize: boolean;
  /** Numbers to keep; default all. */
  dimensions?: number;
}

/** One embedding per sequence, through a chain of the checkpoint's modules: [sequences, dimensions]. */
export const sequenceEmbedding = (
  { name, modules }: Chain,
  { pooling, normalize, dimensions }: EmbeddingOptions,
): Head => ({
  key: JSON.stringify(['embedding', name, pooling, normalize, dimensions]),
  by: 'sequence',
  ...(normalize && { problem: notNormalized }),
  build({ encoder, through }) {
    const rows = through(modules, allTokens(encoder), pooling);
    const kept = { ...rows, columns: dimensions ?? rows.columns };
    return answerOf(normalize ? normalized(kept) : kept);
  },
  onCpu(sequence) {
    const kept = sequence.through(modules, pooling).subarray(0, dimensions);
    return Float32Array.from(normalize ? unitLength(kept) : kept);
  },
});

/** The same through a Pooling alone. */
export const pooledEmbedding = (options: EmbeddingOptions & { pooling: Pooling[] }): Head =>
  sequenceEmbedding(chainOf([poolingModule(options.pooling)], 0), options);

/** One embedding per row (multi-vector models), through a chain of the checkpoint's modules: [rows, columns]. */
export const tokenEmbeddings = ({ name, modules }: Chain, normalize: boolean): Head => ({
  key: JSON.stringify(['token_embeddings', name, normalize]),
  by: 'row',
  ...((normalize || modules.some(({ kind }) => kind === 'Normalize')) && { problem: notNormalized }),
  build({ encoder, through }) {
    const rows = through(modules, chosenTokens(encoder));
    return answerOf(normalize ? normalized(rows) : rows);
  },
});

/** Whether rows still have to be made of unit length after the chain, by default: it does not end in a Normalize. */
export const normalizesAfter = ({ modules }: Chain): boolean => modules.at(-1)?.kind !== 'Normalize';

/** The chain without its last module, which changes no width. */
export function shorter(chain: Chain): Chain {
  const modules = chain.modules.slice(0, -1);
  return { ...chain, modules, name: modules.map(({ path }) => path).join(' ') };
}
