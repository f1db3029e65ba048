import type { Arithmetic } from '../api/types';
import type { Gpu } from '../gpu/device';
import type { KernelSpec } from '../gpu/kernel';
import common from './attention.wgsl?raw';
import subgroup from './attention_subgroup.wgsl?raw';
import workgroup from './attention_workgroup.wgsl?raw';
import type { HeadsLayout } from './layout';
import type { KernelStep, Operand } from './step';
import { roundUp } from './storage';

/** How the products are computed: the WGSL file to append to attention.wgsl. */
const DESIGNS = { workgroup, subgroup };

/** A design, its query rows per workgroup, its threads across keys and head dimensions, and how many of either each has. */
export interface AttentionTile {
  design: keyof typeof DESIGNS;
  rows: number;
  across: number;
  keys: 4 | 8;
  dims: 4 | 8;
  /** Steps of the inner loops to write out, for design workgroup. */
  unroll?: number;
}

const tile = (rows: number, across: number, keys: 4 | 8, dims: 4 | 8): AttentionTile => ({
  design: 'workgroup',
  rows,
  across,
  keys,
  dims,
});

/** The tiles of design workgroup, best first for many tokens. All fit the 16 KiB of workgroup memory that every device has. */
export const WORKGROUP_TILES = [
  tile(64, 8, 8, 8),
  tile(64, 4, 8, 8),
  tile(32, 8, 4, 8),
  tile(32, 4, 4, 8),
  tile(16, 16, 4, 4),
  tile(16, 8, 8, 4),
];

/** Largest head_dim that the tiles are made for. */
export const MAX_HEAD_DIM = 128;

/** Whether a tile suits a padded head_dim. */
export const suits = ({ across, dims }: AttentionTile, headDim: number): boolean => headDim % (across * dims) === 0;

/** The tile that the profile chooses for a padded head_dim. */
export function attentionTile(gpu: Pick<Gpu, 'profile' | 'subgroupSize'>, headDim: number): AttentionTile {
  const [choice] = gpu.profile.attention;
  if (choice === 'subgroup') return { ...tile(16, gpu.subgroupSize!, 4, 8), design: 'subgroup' };
  const rows = choice === 'plain' ? 32 : 64;
  const chosen = WORKGROUP_TILES.find((tile) => tile.rows === rows && suits(tile, headDim))!;
  return { ...chosen, unroll: choice === 'plain' ? 1 : gpu.profile.unroll };
}

/** Tiles of a pass's work list; for FLOPs, the query-key pairs that count and all pairs that are computed. */
export interface AttentionSizes {
  tiles: number;
  pairs: number;
  issuedPairs: number;
}

export interface AttentionSpec extends HeadsLayout {
  act: Arithmetic;
  tile: AttentionTile;
  /** How many tokens a query sees to each side; 0: all. The work list and the rows' bounds must be made for the same window. */
  window: number;
  relative?: RelativeSpec;
}

/** A bias of scores by how far a key is from its query. */
export interface RelativeSpec {
  /** The distance from which it stays the same. */
  reach: number;
  /** DeBERTa: how many relative positions c2p and p2c have. */
  span?: number;
}

/** Operands of a bias. */
export type RelativeBuffers<S> = Partial<Record<'relative_bias' | 'c2p' | 'p2c', Operand<S>>>;

/**
 * Flash attention over the stream: out [T, attention] = softmax(q kᵀ + bias) v of qkv [T, qkv], where q is already multiplied by the softmax
 * scale and log2 e. `relative_bias`, f32 [heads, 2 reach + 1]: the bias times log2 e of keys from `reach` tokens before a row to as many after; with
 * a span, [2 reach + 1]: the relative position of these, by which `c2p` of the row and `p2c` of the key, [T, heads, span], make the bias.
 * Sources: Dao et al. 2022 (arXiv:2205.14135), without dropout and backward pass; He et al. 2021 (arXiv:2006.03654) for c2p and p2c.
 */
export function attention<S>(
  spec: AttentionSpec,
  buffers: Record<'qkv' | 'tiles' | 'bounds' | 'out', Operand<S>> & RelativeBuffers<S>,
  sizesOf: (sizes: S) => AttentionSizes,
): KernelStep<S> {
  const { heads, kv_heads, head_dim, headDim, act, tile, window, relative } = spec;
  const { design, rows, across, keys, dims, unroll = 1 } = tile;
  const slices = Math.ceil(headDim / (dims * across)); // of the head's dimensions; each has its own workgroups, which compute the scores again
  const sizes: KernelSpec['constants'] =
    design === 'subgroup'
      ? { LANES: across }
      : { ROWS: rows, ACROSS: across, KEYS_PER_THREAD: keys, DIMS_PER_THREAD: dims, UNROLL: unroll };
  return {
    label: `attention ${window === 0 ? 'global' : 'window'}`,
    kernel: {
      label: 'attention',
      source: `${common}\n${DESIGNS[design]}`,
      constants: {
        act_t: act,
        HEADS: heads,
        KV_HEADS: kv_heads,
        HEAD_DIM: headDim,
        REACH: relative?.reach ?? 0,
        SPAN: relative?.span ?? 0,
        ...sizes,
      },
    },
    buffers: { relative_bias: undefined, c2p: undefined, p2c: undefined, ...buffers },
    workgroups: (s) => [sizesOf(s).tiles, heads, slices],
    flops: (s) => 4 * sizesOf(s).pairs * head_dim * heads,
    issuedFlops: (s) => 2 * sizesOf(s).issuedPairs * headDim * heads * (slices + 1),
  };
}

/** Query-key pairs that a workgroup computes for `keys` keys, with rows and keys padded to the tile. */
export const attentionPairs = (keys: number, { rows, across, keys: each }: AttentionTile): number =>
  rows * roundUp(keys, across * each);
