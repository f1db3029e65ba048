import { UnsupportedModelError } from '../api/errors';
import type { Arithmetic } from '../api/types';
import type { Gpu } from '../gpu/device';
import { createKernel, type Kernel } from '../gpu/kernel';
import common from './attention.wgsl?raw';
import subgroup from './attention_subgroup.wgsl?raw';
import workgroup from './attention_workgroup.wgsl?raw';
import { SUBGROUP_SIZES } from './gemm';
import { roundUp } from './storage';

/** How the products are computed: the WGSL file that follows attention.wgsl. */
const DESIGNS = { workgroup, subgroup };

/** A design, its query rows a workgroup, and its threads across keys (4 each) and head dimensions (8 each). */
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

/** Bytes of workgroup memory; the sum of the arrays in attention_workgroup.wgsl. */
function workgroupBytes({ rows, across }: AttentionTile, headDim: number): number {
  const keys = across * 4;
  const qTile = (headDim * rows) / 4;
  const kpTile = Math.max(headDim * across, keys * (rows / 4 + 1));
  const vTile = 16 * across * 2;
  return (qTile + kpTile + vTile) * 16 + across * rows * 4 + rows;
}

/** Processors that play GPU have a design of their own; others take the largest tile that fits their workgroup memory. */
export function attentionTile(gpu: Gpu, headDim: number): AttentionTile {
  const { isSoftware, subgroupSize = 0 } = gpu;
  if (isSoftware && SUBGROUP_SIZES.includes(subgroupSize))
    return { design: 'subgroup', rows: 16, across: subgroupSize };
  const limit = gpu.limits.maxComputeWorkgroupStorageSize;
  const fit = CANDIDATES.find((tile) => workgroupBytes(tile, headDim) <= limit && headDim % (8 * tile.across) === 0);
  if (!fit) {
    const least = workgroupBytes(CANDIDATES[CANDIDATES.length - 1], headDim);
    throw new UnsupportedModelError(
      `head_dim ${headDim} needs ${least} bytes of workgroup memory for attention; this device has ${limit}.`,
    );
  }
  return fit;
}

/** Flash attention over the stream, global or window: the work list and the rows' bounds say which. Dispatch: attentionWorkgroups. */
export function createAttention(
  gpu: Gpu,
  spec: { heads: number; headDim: number; act: Arithmetic; tile: AttentionTile },
): Promise<Kernel> {
  const { design, rows, across } = spec.tile;
  return createKernel(gpu, 'attention', `${common}\n${DESIGNS[design]}`, {
    act_t: spec.act,
    HEADS: spec.heads,
    HEAD_DIM: spec.headDim,
    ...(design === 'subgroup' ? { LANES: across } : { ROWS: rows, ACROSS: across, UNROLL: gpu.isSoftware ? 1 : 16 }),
  });
}

/** Slices of the head that workgroups give out, each with its own scores. */
const slices = (headDim: number, { across }: AttentionTile): number => Math.ceil(headDim / (8 * across));

/** One workgroup a tile of the work list, a head, and a slice of the head. */
export const attentionWorkgroups = (
  tiles: number,
  heads: number,
  headDim: number,
  tile: AttentionTile,
): [number, number, number] => [tiles, heads, slices(headDim, tile)];

/** Query-key pairs that a workgroup goes through for `keys` keys: rows and keys are padded to the tile. */
export const attentionPairs = (keys: number, { rows, across }: AttentionTile): number =>
  rows * roundUp(keys, across * 4);

/** Floating-point operations for that many pairs a head; each slice of a head computes the scores anew. */
export const attentionFlops = (pairs: number, heads: number, headDim: number, tile: AttentionTile): number =>
  2 * pairs * headDim * heads * (slices(headDim, tile) + 1);
