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

/** A design, its query rows per workgroup, and its threads across keys (4 each) and head dimensions (8 each). */
export interface AttentionTile {
  design: keyof typeof DESIGNS;
  rows: number;
  across: number;
  /** Steps of the inner loops to write out, for design workgroup. */
  unroll?: number;
}

/** Best first. The last fits the 16 KiB of workgroup memory that every device has at any head_dim. */
export const WORKGROUP_TILES: AttentionTile[] = [
  [64, 8],
  [32, 8],
  [32, 4],
  [16, 4],
  [8, 4],
].map(([rows, across]) => ({ design: 'workgroup', rows, across }));
const LEAST_WORKGROUP_BYTES = 16384;

/** Largest head_dim that the tiles are made for. */
export const MAX_HEAD_DIM = 128;

/** Bytes of workgroup memory: the arrays of attention_workgroup.wgsl. */
function workgroupBytes({ rows, across }: AttentionTile, headDim: number): number {
  const keys = across * 4;
  const qTile = (headDim * rows) / 4;
  const kpTile = Math.max(headDim * across, keys * (rows / 4 + 1));
  const vTile = 16 * across * 2;
  return (qTile + kpTile + vTile) * 16 + across * rows * 4 + rows;
}

/** Whether a tile suits a padded head_dim and fits so many bytes of workgroup memory. */
export const fits = (tile: AttentionTile, headDim: number, bytes: number): boolean =>
  headDim % (8 * tile.across) === 0 && workgroupBytes(tile, headDim) <= bytes;

/** The tile that the profile chooses for a padded head_dim: in workgroup memory, the best one that fits. */
export function attentionTile(gpu: Pick<Gpu, 'profile' | 'limits' | 'subgroupSize'>, headDim: number): AttentionTile {
  const [choice] = gpu.profile.attention;
  if (choice === 'subgroup') return { design: 'subgroup', rows: 16, across: gpu.subgroupSize! };
  const bytes = choice === 'plain' ? LEAST_WORKGROUP_BYTES : gpu.limits.maxComputeWorkgroupStorageSize;
  const tile = WORKGROUP_TILES.find((tile) => fits(tile, headDim, bytes))!;
  return { ...tile, unroll: choice === 'plain' ? 1 : gpu.profile.unroll };
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
  /** With a bias of scores by relative position: the distance from which it stays the same. */
  reach?: number;
}

/**
 * Flash attention over the stream: out [T, attention] = softmax(q kᵀ + bias) v of qkv [T, qkv], where q is already multiplied by the softmax
 * scale and log2 e. `relative_bias`, f32 [heads, 2 reach + 1]: the bias times log2 e of keys from `reach` tokens before a row to as many after.
 * Source: Dao et al. 2022 (arXiv:2205.14135), without dropout and backward pass.
 */
export function attention<S>(
  spec: AttentionSpec,
  buffers: Record<'qkv' | 'tiles' | 'bounds' | 'out', Operand<S>> & { relative_bias?: Operand<S> },
  sizesOf: (sizes: S) => AttentionSizes,
): KernelStep<S> {
  const { heads, kv_heads, head_dim, headDim, act, tile, window, reach = 0 } = spec;
  const { design, rows, across, unroll = 1 } = tile;
  const slices = Math.ceil(headDim / (8 * across)); // of the head's dimensions; each has its own workgroups, which compute the scores again
  const sizes: KernelSpec['constants'] =
    design === 'subgroup' ? { LANES: across } : { ROWS: rows, ACROSS: across, UNROLL: unroll };
  return {
    label: `attention ${window === 0 ? 'global' : 'window'}`,
    kernel: {
      label: 'attention',
      source: `${common}\n${DESIGNS[design]}`,
      constants: { act_t: act, HEADS: heads, KV_HEADS: kv_heads, HEAD_DIM: headDim, REACH: reach, ...sizes },
    },
    buffers: { relative_bias: undefined, ...buffers },
    workgroups: (s) => [sizesOf(s).tiles, heads, slices],
    flops: (s) => 4 * sizesOf(s).pairs * head_dim * heads,
    issuedFlops: (s) => 2 * sizesOf(s).issuedPairs * headDim * heads * (slices + 1),
  };
}

/** Query-key pairs that a workgroup computes for `keys` keys, with rows and keys padded to the tile. */
export const attentionPairs = (keys: number, { rows, across }: AttentionTile): number =>
  rows * roundUp(keys, across * 4);
