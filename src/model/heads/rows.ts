/**
 * What heads are made of: rows of numbers on their way through layers, each function one more step. Everything is f32. Rows alternate between
 * two scratch buffers, `head a` and `head b`.
 */
import type { Pooling } from '../../api/embeddings';
import { addRows } from '../../kernels/add_rows';
import type { Activation } from '../../kernels/gemm-spec';
import { layerNorm } from '../../kernels/layer_norm';
import { paddedWidth } from '../../kernels/layout';
import { normalize } from '../../kernels/normalize';
import { pool } from '../../kernels/pool';
import type { Part, Slot, Step } from '../../kernels/step';
import { linear } from '../blocks';
import { type ChunkSizes, type Encoder, WIDE } from '../family';
import type { Output, TaskHead } from '../task-head';
import type { Linear, Norm } from '../tensors';

/** f32 [rows, stride] in `slot`, of which `columns` per row count, once the steps have run. */
export interface Rows {
  /** Per what `slot` has a row: the stream's tokens, or the rows (or sequences) of the chunk. */
  slot: Slot & { per: 'token' | 'row' };
  stride: number;
  columns: number;
  steps: Step<ChunkSizes>[];
}

/** u32: the chunks' rows of the stream, or spans of their sequences (poolSpan). */
export const INDICES: Slot = { label: 'row lists', per: 'word', bytes: 4 };
/** The chunk's part of them. */
export const indices: Part<ChunkSizes> = { of: INDICES, range: (s) => s.indices };
export const spans: Part<ChunkSizes> = { of: INDICES, range: (s) => s.spans };

export const F32 = { a: 'f32', out: 'f32' } as const;
type RowSlot = Rows['slot'];
/** How many rows a slot has in a chunk. */
const countOf =
  ({ per }: RowSlot) =>
  (s: ChunkSizes): number =>
    per === 'token' ? s.tokens : s.rows;
/** A scratch buffer that these rows are not in. */
const scratch = (stride: number, per: RowSlot['per'], rows?: Rows): RowSlot => ({
  label: rows?.slot.label === 'head a' ? 'head b' : 'head a',
  per,
  bytes: stride * 4,
});
const other = (rows: Rows, stride: number): RowSlot => scratch(stride, rows.slot.per, rows);

/** The last hidden states of every token, or of those that the row lists name: of the residual stream, the final norm. */
function lastHiddenStates({ hidden_states, hidden_size, final_norm }: Encoder, listed?: RowSlot['per']): Rows {
  const { weight, bias, eps = 0, rms }: Partial<Norm> = final_norm ?? {};
  const stride = paddedWidth(hidden_size);
  const slot: RowSlot = listed ? scratch(stride, listed) : { label: WIDE, per: 'token', bytes: stride * 4 };
  const buffers = { hidden_states, rows: listed && indices, weight, bias, normed: slot };
  const spec = { hidden: hidden_size, stride, eps, rms, out: 'f32' } as const;
  return { slot, stride, columns: hidden_size, steps: [layerNorm(spec, buffers, countOf(slot))] };
}

/** The last hidden states of all tokens [T, hidden]. */
export const allTokens = (encoder: Encoder): Rows => lastHiddenStates(encoder);

/** The last hidden states of the chunk's tokens [rows, hidden]. */
export const chosenTokens = (encoder: Encoder): Rows => lastHiddenStates(encoder, 'row');
/** Those of the tokens of the chunk's sequences [tokens, hidden], for heads that gather. */
export const gatheredTokens = (encoder: Encoder): Rows => lastHiddenStates(encoder, 'token');

/** One row per sequence of the chunk: the poolings side by side, then zeros up to a width that a layer can take. */
export function pooled(tokens: Rows, poolings: Pooling[]): Rows {
  const { slot: hidden_states, stride, columns, steps } = tokens;
  const outStride = paddedWidth(poolings.length * columns);
  const slot = scratch(outStride, 'row', tokens);
  const pools = poolings.map((pooling, p) => {
    const outColumn = p * columns;
    const outColumns = p === poolings.length - 1 ? outStride - outColumn : columns;
    const spec = { pooling, stride, columns, outStride, outColumn, outColumns };
    return pool(spec, { hidden_states, spans: indices, pooled: slot }, countOf(slot));
  });
  return { slot, stride: outStride, columns: poolings.length * columns, steps: [...steps, ...pools] };
}

/** rows · weightᵀ + bias, activated, plus a residual: the rows themselves or rows · residualᵀ. */
export function dense(
  rows: Rows,
  label: string,
  layer: Linear,
  columns: number,
  activation?: Activation,
  residual?: Linear | 'input',
): Rows {
  const slot = other(rows, layer.n);
  const epilogue = activation ? ({ kind: 'activation', activation } as const) : ({ kind: 'store' } as const);
  const place = { label, a: rows.slot, out: slot, types: F32 };
  const steps: Step<ChunkSizes>[] = [linear(layer, { ...place, epilogue }, countOf(slot))];
  if (residual === 'input') {
    const spec = { stride: rows.stride, sumStride: layer.n, columns };
    steps.push(addRows(spec, { rows: rows.slot, weights: undefined, sum: slot }, countOf(slot)));
  } else if (residual) {
    steps.push(linear(residual, { ...place, epilogue: { kind: 'residual' } }, countOf(slot)));
  }
  return { slot, stride: layer.n, columns, steps: [...rows.steps, ...steps] };
}

/** LayerNorm of every row. */
export function normed(rows: Rows, { weight, bias, eps }: Norm): Rows {
  const slot = other(rows, rows.stride);
  const buffers = { hidden_states: rows.slot, rows: undefined, weight, bias, normed: slot };
  const spec = { hidden: rows.columns, stride: rows.stride, eps, out: 'f32' } as const;
  return { ...rows, slot, steps: [...rows.steps, layerNorm(spec, buffers, countOf(slot))] };
}

/** To unit length, in place: the first `columns` numbers of each row. */
export function normalized(rows: Rows, columns = rows.columns): Rows {
  const step = normalize({ stride: rows.stride, columns }, { embeddings: rows.slot }, countOf(rows.slot));
  return { ...rows, columns, steps: [...rows.steps, step] };
}

/** Hidden states through the layers of a head. */
export const throughHead = (rows: Rows, { layers }: Pick<TaskHead, 'layers'>): Rows =>
  layers.reduce(
    (before, layer) =>
      'norm' in layer
        ? normed(before, layer.norm)
        : dense(before, layer.label, layer.dense, layer.columns ?? before.columns, layer.activation),
    rows,
  );

/** Hidden states through the checkpoint's own head, to logits. */
export const logitsOf = (rows: Rows, head: TaskHead): Rows => projected(throughHead(rows, head), head.output);

/** Rows to logits. */
export function projected(rows: Rows, { label, pieces, stride, columns }: Output): Rows {
  const slot: RowSlot = { label: 'logits', per: rows.slot.per, bytes: stride * 4 };
  const steps = pieces.map((piece) => {
    const place = { outStride: stride, outColumn: piece.column };
    return linear(
      piece,
      { label, epilogue: { kind: 'store' }, a: rows.slot, out: slot, types: F32, ...place },
      countOf(slot),
    );
  });
  return { slot, stride, columns, steps: [...rows.steps, ...steps] };
}

/** Rows as a head's answer. */
export const answerOf = ({ slot, stride, columns, steps }: Rows) => ({ steps, answer: slot, stride, width: columns });
