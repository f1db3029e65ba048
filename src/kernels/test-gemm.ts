/** For tests: runs GEMMs on operands of any size. */
import { isQuantized, type QuantizedDtype } from '../formats/quantize';
import type { Gpu } from '../gpu/device';
import { padded, quantized, runStep } from './fixtures';
import { gemm } from './gemm';
import { type GemmPlan, type GemmSpec, M_MULTIPLE, outStrideOf } from './gemm-spec';
import { roundUp } from './storage';
import { blank, upload, uploadWords } from './test-buffers';
import { type Matrix, quantizeRows, rope } from './twins';

export interface Operands {
  x: Matrix; // [rows, k]
  w: Matrix; // [n, k]
  bias?: Float64Array;
  /** Row of w → its row on the GPU. */
  rowAt?: (row: number) => number;
  positions?: Uint32Array<ArrayBuffer>;
  rope?: Float32Array<ArrayBuffer>;
  /** The contents of out beforehand. */
  out?: Matrix;
}

export type Options = Pick<GemmSpec, 'n' | 'epilogue'> & Partial<GemmSpec>;

/**
 * Runs a GEMM by `plan`, compiled for `on`, on padded operands; returns out as [rows, stride]. Padding rows of x hold 9, so that mixed-up rows
 * show up.
 */
export async function runGemm(
  gpu: Gpu,
  plan: GemmPlan,
  options: Options,
  { x, w, bias, rowAt, positions, rope, out }: Operands,
  on = gpu,
) {
  const k = roundUp(x[0].length, 32);
  const spec: GemmSpec = {
    label: 'gemm',
    k,
    bias: bias !== undefined,
    dtype: 'f32',
    a: 'f32',
    out: 'f32',
    ...options,
  };
  const stride = outStrideOf(spec);
  const rows = roundUp(x.length, M_MULTIPLE);
  const a = padded(x, { stride: k, rows, padding: 9 });
  for (let r = 0; r < x.length; r++) a.fill(0, r * k + x[0].length, (r + 1) * k);
  const at = new Uint32Array(rows);
  if (positions) at.set(positions);
  const result = out ? upload(gpu, padded(out, { stride, rows })) : blank(gpu, rows * stride, spec.out);
  const weights = padded(w, { stride: k, rows: spec.n, rowAt });
  const buffers = {
    ...(spec.a === 'int8' ? uploadRounded(gpu, x, rows) : { a: upload(gpu, a, spec.a), a_scales: undefined }),
    ...(isQuantized(spec.dtype)
      ? uploadQuantized(gpu, weights, spec.dtype)
      : { w: upload(gpu, weights, spec.dtype), w_scales: undefined }),
    bias: bias ? upload(gpu, padded([bias], { stride: spec.n, columnAt: rowAt })) : undefined,
    positions: positions ? uploadWords(gpu, at) : undefined,
    rope: rope ? upload(gpu, rope) : undefined,
    out: result,
  };
  const step = gemm<void>(spec, buffers, () => x.length);
  const data = await runStep(gpu, step, result, rows * stride, { storage: spec.out, on, plan });
  return { data, stride };
}

/** What the rope epilogue computes from qkv [tokens, 3 hidden]: q and k rotated, q times qScale, v unchanged. */
export function rotated(qkv: Matrix, positions: Uint32Array, head_dim: number, theta: number, qScale: number): Matrix {
  const hidden = qkv[0].length / 3;
  const part = (p: number) => qkv.map((row) => row.slice(p * hidden, (p + 1) * hidden));
  const [q, k] = [part(0), part(1)].map((x) => rope(x, positions, head_dim, theta));
  const v = part(2);
  return q.map((row, r) => Float64Array.of(...row.map((value) => value * qScale), ...k[r], ...v[r]));
}

function uploadQuantized(gpu: Gpu, weights: Float32Array, dtype: QuantizedDtype) {
  const { bytes, scales } = quantized(weights, dtype);
  return {
    w: uploadWords(gpu, new Uint32Array(bytes.buffer)),
    w_scales: uploadWords(gpu, new Uint32Array(scales.buffer)),
  };
}

/** The output of quantize_rows.wgsl for x, in padded rows. */
function uploadRounded(gpu: Gpu, x: Matrix, rows: number) {
  const { integers, scales } = quantizeRows(x);
  const bytes = Int8Array.from(padded(integers, { stride: x[0].length, rows }));
  return {
    a: uploadWords(gpu, new Uint32Array(bytes.buffer)),
    a_scales: upload(gpu, padded(scales, { stride: scales[0].length, rows })),
  };
}
