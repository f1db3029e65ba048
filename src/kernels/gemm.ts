import type { Gpu } from '../gpu/device';
import type { Kernel, KernelSpec } from '../gpu/kernel';
import { type GemmChoice, untuned } from '../gpu/profile';
import common from './gemm.wgsl?raw';
import int8 from './gemm_int8.wgsl?raw';
import matrix from './gemm_matrix.wgsl?raw';
import sliced_k from './gemm_sliced_k.wgsl?raw';
import split_k from './gemm_split_k.wgsl?raw';
import subgroup from './gemm_subgroup.wgsl?raw';
import workgroup from './gemm_workgroup.wgsl?raw';
import {
  ACTIVATIONS,
  EPILOGUES,
  type GemmDesign,
  type GemmPlan,
  type GemmSpec,
  type GemmTile,
  keyWidthOf,
  outStrideOf,
  pairOf,
} from './gemm-spec';
import type { GemmStep, Operand } from './step';
import { F16_MAX, roundUp, weightConstants } from './storage';

/** The WGSL file to append to gemm.wgsl. */
const DESIGNS: Record<GemmDesign, string> = { workgroup, split_k, sliced_k, subgroup, matrix, int8 };

/** The operands that every design binds; int8 input also has a_scales. */
export interface GemmBuffers<S> extends Record<string, Operand<S>> {
  a: Operand<S>;
  w: Operand<S>;
  w_scales: Operand<S>;
  bias: Operand<S>;
  out: Operand<S>;
}

/** out = epilogue(a · wᵀ + bias) for the given number of rows. `useful`: multiplications per row without padding, for reports. */
export const gemm = <S>(
  spec: GemmSpec,
  buffers: GemmBuffers<S>,
  rows: (sizes: S) => number,
  useful?: number,
): GemmStep<S> => ({
  label: spec.label,
  gemm: spec,
  buffers: { positions: undefined, rope: undefined, ...buffers },
  rows,
  ...(useful !== undefined && { flops: (sizes: S) => 2 * useful * rows(sizes) }),
});

/** A compiled GEMM: one kernel per entry of its plan. They share bind groups. */
export interface Gemm {
  spec: GemmSpec;
  variants: { upTo?: number; tile: GemmTile; kernel: Kernel }[];
}

/** The source of every design: stored plans are valid for this source only. */
export const gemmSources = common + Object.values(DESIGNS).join('');

const TILE: GemmTile = { design: 'workgroup', m: 64, n: 64, k: 16, unroll: 16 };
const LARGE_TILE: GemmTile = { design: 'workgroup', m: 128, n: 128, k: 16, unroll: 16 };
const SMALL_TILE: GemmTile = { design: 'workgroup', m: 32, n: 64, k: 8, unroll: 8 };
const SPLIT_K_TILE: GemmTile = { design: 'split_k', m: 8, n: 8, k: 4 };
const SUBGROUP_TILE: GemmTile = { design: 'subgroup', m: 16, n: 64, k: 4 };

/** The tiles to choose from on any device that has the memory for them. */
export const TILES: GemmTile[] = [
  TILE,
  { ...TILE, early: true },
  LARGE_TILE,
  SPLIT_K_TILE,
  { design: 'sliced_k', m: 32, n: 32, k: 64, unroll: 8 },
  { design: 'sliced_k', m: 16, n: 32, k: 64, unroll: 4 },
];

/** With at most so many steps of its inner loop written out. */
export const unrolled = (tile: GemmTile, most: number): GemmTile =>
  tile.unroll ? { ...tile, unroll: Math.min(tile.unroll, most) } : tile;

/** The plans of what a profile can choose without measuring, before the limit on unrolling. Each m divides 64, to which heads pad their rows. */
export const PLANS: Record<Exclude<GemmChoice, 'tuned'>, GemmPlan> = {
  workgroup: [{ upTo: 16, tile: SPLIT_K_TILE }, { upTo: 32, tile: SMALL_TILE }, { tile: TILE }],
  subgroup: [{ tile: SUBGROUP_TILE }],
  // Without split-K, which needs many barriers: on SwiftShader a 16-token query to nano took three times as long with it as one of 128 tokens.
  plain: [{ upTo: 32, tile: SMALL_TILE }, { tile: TILE }],
};

/** In place of `workgroup` on cards of NVIDIA: what was measured on one of them (bench/NOTES.md). The last tile is larger than some devices allow. */
const NVIDIA_PLAN: GemmPlan = [{ upTo: 128, tile: SPLIT_K_TILE }, { upTo: 2048, tile: TILE }, { tile: LARGE_TILE }];
/** Columns from which on 64 × 64 tiles of a few rows fill a card: those of a vocabulary. */
const MANY_COLUMNS = 4096;

/** Integers use one design for any number of rows: a row's result must not depend on the other rows of the pass. */
export const INT8_TILES: GemmTile[] = [64, 32].map((m) => ({ design: 'int8', m, n: 64, k: 32, unroll: 8 }));
const INT8_PLAN: GemmPlan = [{ upTo: 32, tile: INT8_TILES[1] }, { tile: INT8_TILES[0] }];

/** Some tiles need more than the 16 KiB of workgroup memory of every device. */
const isRoomy = ({ limits }: Pick<Gpu, 'limits'>) => limits.maxComputeWorkgroupStorageSize >= 32768;

/** The tiles to choose from for a GEMM on this device. The results of the others are compared with those of the first. */
export function tilesFor(gpu: Pick<Gpu, 'profile' | 'subgroupMatrix' | 'limits'>, spec: GemmSpec): GemmTile[] {
  return (spec.a === 'int8' ? INT8_TILES : [...TILES, ...matrixTiles(gpu, spec)])
    .filter(({ design, m }) => isRoomy(gpu) || (m < 128 && design !== 'sliced_k'))
    .map((tile) => unrolled(tile, gpu.profile.unroll));
}

/** Tiles for matrix units. Units that only have f16 round their operands to it, so they are used only if the GEMM is in f16 anyway. */
export function matrixTiles({ subgroupMatrix }: Pick<Gpu, 'subgroupMatrix'>, { a, dtype }: GemmSpec): GemmTile[] {
  if (!subgroupMatrix) return [];
  const isF16 = subgroupMatrix.component === 'f16';
  if (isF16 && (a !== 'f16' || dtype === 'f32')) return [];
  const k = isF16 ? 32 : 16; // 28 KiB of workgroup memory in either case
  return [64, 128].map((m) => ({ design: 'matrix', m, n: 128, k }));
}

/** The plan if nothing was measured: that of the profile's first choice which needs no measuring. */
export function defaultPlan(gpu: Pick<Gpu, 'profile' | 'limits' | 'info'>, spec: GemmSpec): GemmPlan {
  const choice = untuned(gpu.profile)!;
  const isCard = choice === 'workgroup';
  const isMeasured = isCard && gpu.info.vendor === 'nvidia' && isRoomy(gpu) && spec.n < MANY_COLUMNS;
  const usual = isMeasured ? NVIDIA_PLAN : PLANS[choice];
  const plan = spec.a === 'int8' ? INT8_PLAN : usual;
  return plan.map(({ tile, ...entry }) => ({ ...entry, tile: unrolled(tile, isCard ? gpu.profile.unroll : 1) }));
}

/** Compiles the kernels of a plan. */
export async function createGemm(
  gpu: Gpu,
  spec: GemmSpec,
  plan: GemmPlan,
  compile: (kernel: KernelSpec) => Promise<Kernel>,
): Promise<Gemm> {
  const variants = plan.map(async ({ upTo, tile }) => ({
    upTo,
    tile,
    kernel: await compile(variant(gpu, spec, tile)),
  }));
  return { spec, variants: await Promise.all(variants) };
}

/** The kernel of one tile. */
export function variant(gpu: Pick<Gpu, 'subgroupSize' | 'subgroupMatrix'>, spec: GemmSpec, tile: GemmTile): KernelSpec {
  const { epilogue } = spec;
  const constants: KernelSpec['constants'] = {
    ...weightConstants(spec.dtype),
    a_t: spec.a === 'int8' ? 'u32' : spec.a,
    out_t: spec.out,
    K: spec.k,
    N: spec.n,
    TILE_M: tile.m,
    TILE_N: tile.n,
    TILE_K: tile.k,
    PAIR: pairOf(epilogue),
    HAS_BIAS: spec.bias,
    EPILOGUE: EPILOGUES.indexOf(epilogue.kind),
    OUT_STRIDE: outStrideOf(spec),
    OUT_COLUMN: spec.outColumn ?? 0,
    OUT_MAX: spec.out === 'f16' ? F16_MAX : 0,
  };
  if ('activation' in epilogue) constants.ACTIVATION = ACTIVATIONS.indexOf(epilogue.activation);
  if ('qScale' in epilogue) {
    constants.Q_WIDTH = epilogue.attentionWidth;
    constants.Q_SCALE = epilogue.qScale;
  }
  if (epilogue.kind === 'rope') {
    constants.ROTATED = epilogue.attentionWidth + keyWidthOf(epilogue);
    constants.HEAD_DIM = epilogue.headDim;
  }
  if (tile.design === 'subgroup') constants.LANES = gpu.subgroupSize!;
  if (tile.unroll) constants.UNROLL = tile.unroll;
  if (tile.early) constants.EARLY = true;
  if (tile.design === 'matrix') {
    const { component, m, n, k, threads } = gpu.subgroupMatrix!;
    Object.assign(constants, { tile_t: component, MATRIX_M: m, MATRIX_N: n, MATRIX_K: k, THREADS: threads });
  }
  return { label: spec.label, source: `${common}\n${DESIGNS[tile.design]}`, constants };
}

/** The kernel for m rows, its workgroups, and its floating-point operations including those on padding. */
export function gemmDispatch(
  { spec, variants }: Gemm,
  m: number,
): { kernel: Kernel; workgroups: [number, number]; issuedFlops: number } {
  const { tile, kernel } = variants.find(({ upTo }) => upTo === undefined || m <= upTo)!;
  const columns = Math.ceil(roundUp(spec.n, 2 * pairOf(spec.epilogue)) / tile.n);
  const rows = Math.ceil(m / tile.m);
  return { kernel, workgroups: [columns, rows], issuedFlops: 2 * columns * tile.n * rows * tile.m * spec.k };
}
