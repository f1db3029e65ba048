/** Steps that every architecture has. */
import type { Arithmetic } from '../api/types';
import { GROUP } from '../formats/quantize';
import { type AttentionTile, attention } from '../kernels/attention';
import { gemm } from '../kernels/gemm';
import type { Epilogue } from '../kernels/gemm-spec';
import type { HeadsLayout } from '../kernels/layout';
import { quantizeRows } from '../kernels/quantize_rows';
import type { Operand, Slot, Step } from '../kernels/step';
import { bytesOf } from '../kernels/storage';
import { boundsOf, type PassSizes, positions, type Target, tilesOf } from './family';
import type { Linear } from './tensors';

interface LinearStep<S> {
  label: string;
  epilogue: Epilogue;
  a: Operand<S>;
  out: Operand<S>;
  /** Storage of a and of out. */
  types: { a: Arithmetic | 'int8'; out: Arithmetic };
  /** With epilogue rope. */
  positions?: Slot;
  rope?: Slot;
  /** The scales of an int8 a. */
  a_scales?: Slot;
  /** Where the columns go in a wider out. */
  outStride?: number;
  outColumn?: number;
}

/** out [rows, n] = epilogue(a [rows, k] · weightᵀ + bias). */
export function linear<S>(w: Linear, step: LinearStep<S>, rows: (sizes: S) => number, useful?: number): Step<S> {
  const { label, epilogue, types, outStride, outColumn, ...buffers } = step;
  const spec = {
    label,
    n: w.n,
    k: w.k,
    bias: w.bias !== undefined,
    epilogue,
    dtype: w.dtype,
    ...types,
    outStride,
    outColumn,
  };
  return gemm(spec, { ...buffers, w: w.weight, w_scales: w.scales, bias: w.bias }, rows, useful);
}

/** A slot of activations [T, columns]. */
export const activation = (label: string, type: Arithmetic | 'int8', columns: number): Slot => ({
  label,
  per: 'token',
  bytes: columns * bytesOf(type),
});

const tokens = (s: PassSizes) => s.tokens;

/** A linear layer of the encoder over all tokens: with compute 'int8' and q8 weights its input is rounded first. */
export const encoderLinear =
  ({ act, compute }: Target) =>
  (label: string, w: Linear, a: Slot, epilogue: Epilogue, out: Slot, rope?: Slot): Step<PassSizes>[] => {
    const outType: Arithmetic = epilogue.kind === 'residual' ? 'f32' : act;
    const step = { label, epilogue, out, ...(rope && { positions, rope }) };
    if (compute === 'float' || w.dtype !== 'q8') {
      return [linear(w, { ...step, a, types: { a: act, out: outType } }, tokens, w.useful)];
    }
    const rounded = { a: activation('int8', 'int8', w.k), a_scales: activation('int8 scales', 'f32', w.k / GROUP) };
    return [
      quantizeRows({ act, k: w.k }, { x: a, ...rounded }, tokens),
      linear(w, { ...step, ...rounded, types: { a: 'int8', out: outType } }, tokens, w.useful),
    ];
  };

/** Attention of a layer with this window: out [T, attention] = softmax(q kᵀ) v of qkv [T, 3 attention]. */
export const encoderAttention =
  ({ act }: Target, layout: HeadsLayout & { tile: AttentionTile }, qkv: Slot, out: Slot) =>
  (window: number): Step<PassSizes> =>
    attention(
      { ...layout, act, window },
      { qkv, tiles: tilesOf(window), bounds: boundsOf(window), out },
      (s: PassSizes) => s.attention.get(window)!,
    );
