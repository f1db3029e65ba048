/** What a GEMM computes, and the plan that says which kernel computes it. */
import type { Arithmetic, Dtype } from '../api/types';

/** In the order of gemm.wgsl's ACTIVATION. */
export const ACTIVATIONS = ['gelu', 'gelu_pytorch_tanh', 'silu', 'relu', 'tanh'] as const;
export type Activation = (typeof ACTIVATIONS)[number];

/** What a GEMM does with its sums before it stores them. */
export type Epilogue =
  | { kind: 'store' }
  | { kind: 'residual' }
  | { kind: 'activation'; activation: Activation }
  | { kind: 'geglu'; activation: Activation }
  | { kind: 'rope'; attentionWidth: number; headDim: number; qScale: number };

/** In the order of gemm.wgsl's EPILOGUE. */
export const EPILOGUES: Epilogue['kind'][] = ['store', 'residual', 'activation', 'geglu', 'rope'];

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
  /** int8: the output of quantize_rows.wgsl, for q8 weights only. */
  a: Arithmetic | 'int8';
  out: Arithmetic;
}

/** How the products are computed: gemm_<design>.wgsl. */
export type GemmDesign = 'workgroup' | 'split_k' | 'subgroup' | 'matrix' | 'int8';

/** A design and its sizes: a workgroup computes m × n of out, k steps of K at a time. */
export interface GemmTile {
  design: GemmDesign;
  m: number;
  n: number;
  k: number;
}

/** Which tile serves how many rows, fewest first: each entry those up to `upTo`, the last one any number. */
export type GemmPlan = { upTo?: number; tile: GemmTile }[];

/** K of every GEMM is padded to this with zeros. */
export const K_MULTIPLE = 32;

/** Rows of every GEMM input and output are padded to this, a multiple of every tile's. */
export const M_MULTIPLE = 128;

/** Columns between the two that RoPE rotates together, and between GeGLU's value and gate, in the order that weights are stored in. */
export const pairOf = (epilogue: Epilogue): number =>
  epilogue.kind === 'rope' && epilogue.headDim % 64 !== 0 ? 16 : 32;

/** Columns of a row of out. */
export const outStrideOf = ({ outStride, epilogue, n }: GemmSpec): number =>
  outStride ?? (epilogue.kind === 'geglu' ? n / 2 : n);
