import type { Arithmetic, Dtype } from '../api/types';
import type { Gpu } from '../gpu/device';
import { type Constants, createKernel, type Kernel } from '../gpu/kernel';
import common from './gemm.wgsl?raw';
import int8 from './gemm_int8.wgsl?raw';
import matrix from './gemm_matrix.wgsl?raw';
import split_k from './gemm_split_k.wgsl?raw';
import subgroup from './gemm_subgroup.wgsl?raw';
import workgroup from './gemm_workgroup.wgsl?raw';
import { F16_MAX, roundUp, weightConstants } from './storage';

export const ACTIVATIONS = ['gelu', 'gelu_pytorch_tanh', 'silu', 'relu', 'tanh'] as const;
export type Activation = (typeof ACTIVATIONS)[number];

/** K of every GEMM is padded to this with zeros. */
export const K_MULTIPLE = 32;

/** What a GEMM does with its sums before it stores them. */
export type Epilogue =
  | { kind: 'store' }
  | { kind: 'residual' }
  | { kind: 'activation'; activation: Activation }
  | { kind: 'geglu'; activation: Activation }
  | { kind: 'rope'; attentionWidth: number; headDim: number; qScale: number };

export interface GemmSpec {
  label: string;
  /** out[M, n] = a[M, k] · w[n, k]ᵀ. k: a multiple of K_MULTIPLE; n: of 8; with geglu and rope of 2 * pair. */
  k: number;
  n: number;
  /** Columns of a row of out; default n (n / 2 with geglu). */
  outStride?: number;
  outColumn?: number;
  bias: boolean;
  epilogue: Epilogue;
  dtype: Dtype;
  /** int8: of quantize_rows.wgsl, for q8 weights only. */
  a: Arithmetic | 'int8';
  out: Arithmetic;
}

/** How the products are computed: the WGSL file that follows gemm.wgsl. */
const DESIGNS = { workgroup, split_k, subgroup, matrix, int8 };
export type GemmDesign = keyof typeof DESIGNS;

/** A design and its sizes: a workgroup computes m × n of out, k steps of K at a time. */
export interface GemmTile {
  design: GemmDesign;
  m: number;
  n: number;
  k: number;
}

/** Which tile serves how many rows, fewest first: each entry those up to `upTo`, the last one any number. */
export type GemmPlan = { upTo?: number; tile: GemmTile }[];

/** A compiled GEMM: a kernel for each entry of its plan. They take the same bind groups. */
export interface Gemm {
  spec: GemmSpec;
  variants: { upTo?: number; tile: GemmTile; kernel: Kernel }[];
}

/** The text of every design: what remembered measurements are of. */
export const gemmSources = common + Object.values(DESIGNS).join('');

const EPILOGUES = ['store', 'residual', 'activation', 'geglu', 'rope'];

/** Rows of every GEMM input and output are padded to this, a multiple of every tile's. */
export const M_MULTIPLE = 128;

/** Columns between the two that RoPE rotates together, and between GeGLU's value and gate, in the order that weights are stored in. */
export const pairOf = (epilogue: Epilogue): number =>
  epilogue.kind === 'rope' && epilogue.headDim % 64 !== 0 ? 16 : 32;

const TILE: GemmTile = { design: 'workgroup', m: 64, n: 64, k: 16 };
const LARGE_TILE: GemmTile = { design: 'workgroup', m: 128, n: 128, k: 8 };
const SMALL_TILE: GemmTile = { design: 'workgroup', m: 32, n: 64, k: 8 };
const SPLIT_K_TILE: GemmTile = { design: 'split_k', m: 8, n: 8, k: 4 };

/** What to use where nothing was measured on the device. Each m divides 64, which is what heads pad their rows to. */
export const DEFAULT_PLAN: GemmPlan = [
  { upTo: 16, tile: SPLIT_K_TILE },
  { upTo: 32, tile: SMALL_TILE },
  { tile: TILE },
];

/** Threads of a subgroup that the designs for processors that play GPU are written for. */
export const SUBGROUP_SIZES = [4, 8, 16];

const SUBGROUP_TILE: GemmTile = { design: 'subgroup', m: 16, n: 64, k: 4 };

/**
 * For processors that play GPU. SwiftShader keeps the state of every thread at every barrier, so the fewer threads and barriers the better:
 * with split-K a 16-token query through nano took three times as long as 128 tokens.
 */
export function softwarePlan({ subgroupSize = 0 }: Gpu): GemmPlan {
  if (SUBGROUP_SIZES.includes(subgroupSize)) return [{ tile: SUBGROUP_TILE }];
  return [{ upTo: 32, tile: SMALL_TILE }, { tile: TILE }];
}

/** The tiles that every device can run. */
export const TILES: GemmTile[] = [TILE, LARGE_TILE, SMALL_TILE, SPLIT_K_TILE];

/** Integers have designs of their own, whatever the number of rows: a row's result must not depend on what shares the pass. */
export const INT8_TILES: GemmTile[] = [64, 32].map((m) => ({ design: 'int8', m, n: 64, k: 32 }));
const INT8_PLAN: GemmPlan = [{ upTo: 32, tile: INT8_TILES[1] }, { tile: INT8_TILES[0] }];

/** The tiles to choose from for a GEMM on this device. The first one is what the others' results are compared with. */
export const tilesFor = (gpu: Gpu, spec: GemmSpec): GemmTile[] =>
  spec.a === 'int8' ? INT8_TILES : [...TILES, ...matrixTiles(gpu, spec)];

/** Matrix units round f32 operands to f16 where they have f16 only, which is for those who asked for f16. */
export function matrixTiles({ subgroupMatrix }: Gpu, { a, dtype }: GemmSpec): GemmTile[] {
  if (!subgroupMatrix) return [];
  const isF16 = subgroupMatrix.component === 'f16';
  if (isF16 && (a !== 'f16' || dtype === 'f32')) return [];
  const k = isF16 ? 32 : 16; // 28 KiB of workgroup memory in either
  return [64, 128].map((m) => ({ design: 'matrix', m, n: 128, k }));
}

/** Compiles the kernels of a plan. */
export async function createGemm(
  gpu: Gpu,
  spec: GemmSpec,
  plan = spec.a === 'int8' ? INT8_PLAN : gpu.isSoftware ? softwarePlan(gpu) : DEFAULT_PLAN,
): Promise<Gemm> {
  const variants = plan.map(async ({ upTo, tile }) => ({ upTo, tile, kernel: await createVariant(gpu, spec, tile) }));
  return { spec, variants: await Promise.all(variants) };
}

function createVariant(gpu: Gpu, spec: GemmSpec, tile: GemmTile): Promise<Kernel> {
  const { epilogue } = spec;
  const constants: Constants = {
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
    OUT_STRIDE: spec.outStride ?? (epilogue.kind === 'geglu' ? spec.n / 2 : spec.n),
    OUT_COLUMN: spec.outColumn ?? 0,
    OUT_MAX: spec.out === 'f16' ? F16_MAX : 0,
  };
  if ('activation' in epilogue) constants.ACTIVATION = ACTIVATIONS.indexOf(epilogue.activation);
  if (epilogue.kind === 'rope') {
    constants.HIDDEN = epilogue.attentionWidth;
    constants.HEAD_DIM = epilogue.headDim;
    constants.Q_SCALE = epilogue.qScale;
  }
  if (tile.design === 'subgroup') constants.LANES = gpu.subgroupSize!;
  if (tile.design === 'workgroup') constants.UNROLL = gpu.isSoftware ? 1 : tile.k;
  if (tile.design === 'int8') constants.UNROLL = gpu.isSoftware ? 1 : 8;
  if (tile.design === 'matrix') {
    const { component, m, n, k, threads } = gpu.subgroupMatrix!;
    Object.assign(constants, { tile_t: component, MATRIX_M: m, MATRIX_N: n, MATRIX_K: k, THREADS: threads });
  }
  return createKernel(gpu, spec.label, `${common}\n${DESIGNS[tile.design]}`, constants);
}

/** The kernel for m rows, its workgroups, and its floating-point operations, on padding too. */
export function gemmDispatch(
  { spec, variants }: Gemm,
  m: number,
): { kernel: Kernel; workgroups: [number, number]; issuedFlops: number } {
  const { tile, kernel } = variants.find(({ upTo }) => upTo === undefined || m <= upTo)!;
  const columns = Math.ceil(roundUp(spec.n, 2 * pairOf(spec.epilogue)) / tile.n);
  const rows = Math.ceil(m / tile.m);
  return { kernel, workgroups: [columns, rows], issuedFlops: 2 * columns * tile.n * rows * tile.m * spec.k };
}
