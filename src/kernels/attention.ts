import { UnsupportedModelError } from '../api/errors';
import type { Arithmetic } from '../api/types';
import type { Gpu } from '../gpu/device';
import type { KernelSpec } from '../gpu/kernel';
import common from './attention.wgsl?raw';
import subgroup from './attention_subgroup.wgsl?raw';
import workgroup from './attention_workgroup.wgsl?raw';
import { SUBGROUP_SIZES } from './gemm';
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
}

const CANDIDATES: AttentionTile[] = [
  { design: 'workgroup', rows: 64, across: 8 },
  { design: 'workgroup', rows: 32, across: 8 },
  { design: 'workgroup', rows: 32, across: 4 },
  { design: 'workgroup', rows: 16, across: 4 },
];

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

/**
 * The tile for a device: software adapters have their own design, others get the largest tile that fits their workgroup memory.
 * Throws UnsupportedModelError if none fits.
 */
export function attentionTile(gpu: Gpu, headDim: number): AttentionTile {
  const { isSoftware, subgroupSize = 0 } = gpu;
  if (isSoftware && SUBGROUP_SIZES.includes(subgroupSize))
    return { design: 'subgroup', rows: 16, across: subgroupSize };
  const limit = gpu.limits.maxComputeWorkgroupStorageSize;
  const fit = CANDIDATES.find((tile) => workgroupBytes(tile, headDim) <= limit && headDim % (8 * tile.across) === 0);
  if (!fit) {
    const least = workgroupBytes(CANDIDATES[CANDIDATES.length - 1], headDim);
    throw new UnsupportedModelError(
      `Attention with head_dim ${headDim} needs ${least} bytes of workgroup memory, but this device allows ${limit}.`,
    );
  }
  return fit;
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
}

/**
 * Flash attention over the stream: out [T, attention] = softmax(q kᵀ) v of qkv [T, 3 attention], where q is already multiplied by the softmax
 * scale and log2 e. Source: Dao et al. 2022 (arXiv:2205.14135), without dropout and backward pass.
 */
export function attention<S>(
  gpu: Gpu,
  spec: AttentionSpec,
  buffers: Record<'qkv' | 'tiles' | 'bounds' | 'out', Operand<S>>,
  sizesOf: (sizes: S) => AttentionSizes,
): KernelStep<S> {
  const { heads, head_dim, headDim, act, tile, window } = spec;
  const { design, rows, across } = tile;
  const slices = Math.ceil(headDim / (8 * across)); // of the head's dimensions; each has its own workgroups, which compute the scores again
  const sizes: KernelSpec['constants'] =
    design === 'subgroup' ? { LANES: across } : { ROWS: rows, ACROSS: across, UNROLL: gpu.isSoftware ? 1 : 16 };
  return {
    label: `attention ${window === 0 ? 'global' : 'window'}`,
    kernel: {
      label: 'attention',
      source: `${common}\n${DESIGNS[design]}`,
      constants: { act_t: act, HEADS: heads, HEAD_DIM: headDim, ...sizes },
    },
    buffers,
    workgroups: (s) => [sizesOf(s).tiles, heads, slices],
    flops: (s) => 4 * sizesOf(s).pairs * head_dim * heads,
    issuedFlops: (s) => 2 * sizesOf(s).issuedPairs * headDim * heads * (slices + 1),
  };
}

/** Query-key pairs that a workgroup computes for `keys` keys, with rows and keys padded to the tile. */
export const attentionPairs = (keys: number, { rows, across }: AttentionTile): number =>
  rows * roundUp(keys, across * 4);
