import common from '../../shaders/gemm.wgsl?raw';
import workgroup from '../../shaders/gemm_workgroup.wgsl?raw';
import type { Arithmetic, Dtype } from '../api';
import type { Gpu } from '../gpu/device';
import { type Constants, createKernel, type Kernel } from '../gpu/kernel';
import { F16_MAX, roundUp, weightConstants } from './precision';

export const ACTIVATIONS = ['gelu', 'gelu_pytorch_tanh', 'silu', 'relu'] as const;
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
  a: Arithmetic;
  out: Arithmetic;
}

const EPILOGUES = ['store', 'residual', 'activation', 'geglu', 'rope'];
const TILE_M = 64;
const TILE_N = 64;
const TILE_K = 16;

/** Rows of every GEMM input and output are padded to this. */
export const M_MULTIPLE = 64;

/** Columns between the two that RoPE rotates together, and between GeGLU's value and gate, in the order that weights are stored in. */
export const pairOf = (epilogue: Epilogue): number =>
  epilogue.kind === 'rope' && epilogue.headDim % 64 !== 0 ? 16 : 32;

export function createGemm(gpu: Gpu, spec: GemmSpec): Promise<Kernel> {
  const { epilogue } = spec;
  const constants: Constants = {
    ...weightConstants(spec.dtype),
    a_t: spec.a,
    out_t: spec.out,
    K: spec.k,
    N: spec.n,
    TILE_M,
    TILE_N,
    TILE_K,
    UNROLL: gpu.isSoftware ? 1 : TILE_K,
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
  return createKernel(gpu, spec.label, `${common}\n${workgroup}`, constants);
}

/** Workgroups for m rows. */
export const gemmWorkgroups = (n: number, m: number): [number, number] => [
  Math.ceil(n / TILE_N),
  roundUp(m, M_MULTIPLE) / TILE_M,
];

/** Floating-point operations of those workgroups, on padding too. */
export const gemmFlops = (n: number, k: number, m: number): number => {
  const [columns, rows] = gemmWorkgroups(n, m);
  return 2 * columns * TILE_N * rows * TILE_M * k;
};
