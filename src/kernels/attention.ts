import source from '../../shaders/attention.wgsl?raw';
import type { Arithmetic } from '../api';
import { UnsupportedModelError } from '../errors';
import type { Gpu } from '../gpu/device';
import { createKernel, type Kernel } from '../gpu/kernel';
import { bytesOf, roundUp } from './precision';

/** Query rows a workgroup, and threads across its keys (4 each) and head dimensions (8 each). */
export interface AttentionTile {
  rows: number;
  across: number;
}

const CANDIDATES: AttentionTile[] = [
  { rows: 64, across: 8 },
  { rows: 32, across: 8 },
  { rows: 32, across: 4 },
  { rows: 16, across: 4 },
];

/** SwiftShader, whose subgroups have four threads, keeps every thread's state at every barrier, and compiles twice as long for 128 as for 32. */
const FEW_THREADS: AttentionTile[] = [{ rows: 16, across: 8 }, ...CANDIDATES];

/** Bytes of workgroup memory; the sum of the arrays in attention.wgsl. */
function workgroupBytes({ rows, across }: AttentionTile, headDim: number, act: Arithmetic): number {
  const keys = across * 4;
  const qTile = (headDim * rows) / 4;
  const kpTile = Math.max(headDim * across, keys * (rows / 4 + 1));
  const vTile = 16 * across * 2;
  return (qTile + kpTile + vTile) * 4 * bytesOf(act) + across * rows * 4 + rows;
}

/** The largest tile that fits the device's workgroup memory. */
export function attentionTile(gpu: Gpu, headDim: number, act: Arithmetic): AttentionTile {
  const limit = gpu.limits.maxComputeWorkgroupStorageSize;
  const candidates = gpu.isSoftware && gpu.subgroupSize === 4 ? FEW_THREADS : CANDIDATES;
  const fit = candidates.find(
    (tile) => workgroupBytes(tile, headDim, act) <= limit && headDim % (8 * tile.across) === 0,
  );
  if (!fit) {
    const least = workgroupBytes(CANDIDATES[CANDIDATES.length - 1], headDim, act);
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
  return createKernel(gpu, 'attention', source, {
    act_t: spec.act,
    HEADS: spec.heads,
    HEAD_DIM: spec.headDim,
    ROWS: spec.tile.rows,
    ACROSS: spec.tile.across,
    UNROLL: gpu.isSoftware ? 1 : 16,
  });
}

/** One workgroup a tile of the work list, a head, and a slice of the head. */
export const attentionWorkgroups = (
  tiles: number,
  heads: number,
  headDim: number,
  { across }: AttentionTile,
): [number, number, number] => [tiles, heads, headDim / (8 * across)];

/** Query-key pairs that a workgroup goes through for `keys` keys: rows and keys are padded to the tile. */
export const attentionPairs = (keys: number, { rows, across }: AttentionTile): number =>
  rows * roundUp(keys, across * 4);

/** Floating-point operations for that many pairs a head; each slice of a head computes the scores anew. */
export const attentionFlops = (pairs: number, heads: number, headDim: number, { across }: AttentionTile): number =>
  2 * pairs * headDim * heads * (headDim / (8 * across) + 1);
