/** Steps that every architecture has. */
import type { Arithmetic } from '../api/types';
import { GROUP } from '../formats/quantize';
import { attention, type RelativeBuffers, type RelativeSpec } from '../kernels/attention';
import { embeddings } from '../kernels/embeddings';
import { gemm } from '../kernels/gemm';
import { type Epilogue, M_MULTIPLE } from '../kernels/gemm-spec';
import { layerNormInPlace, type NormSpec } from '../kernels/layer_norm';
import type { HeadsLayout } from '../kernels/layout';
import { quantizeRows } from '../kernels/quantize_rows';
import type { Operand, Slot, Step } from '../kernels/step';
import { bytesOf, roundUp } from '../kernels/storage';
import { boundsOf, input_ids, type PassSizes, positions, type Target, tilesOf, token_type_ids } from './family';
import type { Linear, Norm, Table } from './tensors';

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

/** The tables that a token's embedding is the sum of; `rows`: how many positions or types there are. */
export interface EmbeddingTables {
  table: Table;
  position_embeddings?: { weight: GPUBuffer; rows: number };
  token_type_embeddings?: { weight: GPUBuffer; rows: number };
}

/** Rows that pad the last GEMM tile have embeddings too, so that nothing there is ever NaN. */
const paddedTokens = (s: PassSizes) => roundUp(s.tokens, M_MULTIPLE);

/** hidden_states [T, stride] = the sum of a token's embeddings. */
export const sumOfEmbeddings = (
  { table, position_embeddings, token_type_embeddings }: EmbeddingTables,
  stride: number,
  hidden_states: Slot,
): Step<PassSizes>[] => {
  const [positionRows, types] = [position_embeddings?.rows ?? 0, token_type_embeddings?.rows ?? 0];
  const more = {
    positions: positionRows > 0 ? positions : undefined,
    position_embeddings: position_embeddings?.weight,
    token_type_ids: types > 1 ? token_type_ids : undefined,
    token_type_embeddings: token_type_embeddings?.weight,
  };
  return table.pieces.map(({ weight, scales, firstRow, rows }) =>
    embeddings(
      { dtype: table.dtype, stride, firstId: firstRow, ids: rows, positions: positionRows, types },
      { input_ids, w: weight, w_scales: scales, ...more, hidden_states },
      paddedTokens,
    ),
  );
};

/** hidden_states = normed = LayerNorm of the sum of a token's embeddings: the residual stream, and the input of the first layer. */
export const encoderEmbeddings = (
  tables: EmbeddingTables,
  { weight, bias }: Norm,
  spec: NormSpec,
  slots: { hidden_states: Slot; normed: Slot },
): Step<PassSizes>[] => [
  ...sumOfEmbeddings(tables, spec.stride, slots.hidden_states),
  layerNormInPlace(spec, { ...slots, weight, bias }, paddedTokens),
];

/** Attention of a layer with this window: out [T, attention] = softmax(q kᵀ) v of qkv [T, qkv], with a bias by distance if there is one. */
export const encoderAttention =
  (
    { act }: Target,
    layout: HeadsLayout,
    qkv: Slot,
    out: Slot,
    relative?: RelativeSpec & { buffers: RelativeBuffers<PassSizes> },
  ) =>
  (window: number): Step<PassSizes> =>
    attention(
      { ...layout, act, window, relative },
      { qkv, tiles: tilesOf(window), bounds: boundsOf(window), out, ...relative?.buffers },
      (s: PassSizes) => s.attention.get(window)!,
    );
