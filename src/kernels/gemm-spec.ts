/** What a GEMM computes, and the plan that says which kernel computes it. */
import type { Arithmetic, Dtype } from '../api/types';

/** In the order of gemm.wgsl's ACTIVATION. */
export const ACTIVATIONS = [
  'gelu',
  'gelu_pytorch_tanh',
  'silu',
  'relu',
  'tanh',
  'quick_gelu',
  'sigmoid',
  'leaky_relu',
  'mish',
  'linear',
] as const;
export type Activation = (typeof ACTIVATIONS)[number];

/** What a GEMM does with its sums when it stores them. */
export type Epilogue =
  | { kind: 'store' }
  | { kind: 'residual' }
  | { kind: 'activation'; activation: Activation }
  | { kind: 'geglu'; activation: Activation }
  | {
      kind: 'rope';
      attentionWidth: number;
      headDim: number;
      qScale: number /** Of k; default q's. */;
      keyWidth?: number;
    }
  | { kind: 'scale'; attentionWidth: number; headDim: number; qScale: number };

/** In the order of gemm.wgsl's EPILOGUE. */
export const EPILOGUES: Epilogue['kind'][] = ['store', 'residual', 'activation', 'geglu', 'rope', 'scale'];

export interface GemmSpec {
  label: string;
  /** out[M, n] = a[M, k] · w[n, k]ᵀ. k: a multiple of K_MULTIPLE; n: a multiple of 8, for geglu and rope of 2 * pair. */
  k: number;
  n: number;
  /** Columns of a row of out; default n (n / 2 with geglu). */
  outStride?: number;
  /** The column of out that column 0 goes to; default 0. */
  outColumn?: number;
  bias: boolean;
  epilogue: Epilogue;
  dtype: Dtype;
  /** int8: the output of quantize_rows.wgsl, with q8 weights only. */
  a: Arithmetic | 'int8';
  out: Arithmetic;
}

/** How the products are computed: by gemm_<design>.wgsl. */
export type GemmDesign = 'workgroup' | 'split_k' | 'sliced_k' | 'subgroup' | 'matrix' | 'int8';

/** A design and its sizes: a workgroup computes m × n of out, k elements of K at a time. */
export interface GemmTile {
  design: GemmDesign;
  m: number;
  n: number;
  k: number;
  /** Steps of the inner loop to write out, for designs that can. */
  unroll?: number;
  /** Design workgroup: blocks are read before the barrier. */
  early?: boolean;
}

/** Which tile to use for how many rows, fewest first: each entry serves up to `upTo` rows, the last one any number. */
export type GemmPlan = { upTo?: number; tile: GemmTile }[];

/** K of every GEMM is padded with zeros to a multiple of this. */
export const K_MULTIPLE = 32;

/** Rows of every GEMM input and output are padded to a multiple of this, which is a multiple of every tile's m. */
export const M_MULTIPLE = 128;

/** The distance, in columns, between the two that RoPE rotates together and between GeGLU's value and gate, as weights lie on the GPU. */
export const pairOf = (epilogue: Epilogue): number => ('headDim' in epilogue && epilogue.headDim % 64 !== 0 ? 16 : 32);

/** Columns of a row of out. */
export const outStrideOf = ({ outStride, epilogue, n }: GemmSpec): number =>
  outStride ?? (epilogue.kind === 'geglu' ? n / 2 : n);

/** The columns of k, which follow q's. */
export const keyWidthOf = ({ keyWidth, attentionWidth }: Epilogue & { kind: 'rope' }): number =>
  keyWidth ?? attentionWidth;
