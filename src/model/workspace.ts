import type { Arithmetic } from '../api';
import type { GpuMemory } from '../gpu/buffers';
import { M_MULTIPLE } from '../kernels/gemm';
import { bytesOf, roundUp } from '../kernels/precision';
import { attentionTiles, sequenceBounds, type TokenStream, tileWords } from '../packing/stream';
import type { Geometry } from './geometry';

/** What a pass is made of, in numbers: how many workgroups each kernel needs follows from these. */
export interface PassShape {
  tokens: number;
  sequences: number;
  globalTiles: number;
  windowTiles: number;
  /** Query-key pairs that attention is about, for FLOP counts: useful ones, by layer kind. */
  globalPairs: number;
  windowPairs: number;
}

/** The buffers that a pass works in; layers reuse them. Widths are the geometry's padded ones, rows are padded to M_MULTIPLE. */
export interface Workspace {
  tokens: number;
  tiles: number;
  input_ids: GPUBuffer; // u32 [tokens]
  positions: GPUBuffer; // u32 [tokens]
  sequence: GPUBuffer; // u32 [tokens, 2]: seq_start, seq_end
  globalTiles: GPUBuffer; // u32 [tiles, 4]
  windowTiles: GPUBuffer; // u32 [tiles, 4]
  hidden_states: GPUBuffer; // f32 [tokens, hidden]: the residual stream
  normed: GPUBuffer; // act [tokens, max(hidden, attention)]: what LayerNorm or attention gives to the next GEMM
  wide: GPUBuffer; // act [tokens, max(3 attention, intermediate)]: q, k, v; then GeGLU's output; f32 [tokens, hidden] at the end
}

/** Allocates for at least `tokens` and `tiles`. */
export function allocWorkspace(
  memory: GpuMemory,
  geometry: Geometry,
  act: Arithmetic,
  tokens: number,
  tiles: number,
): Workspace {
  const rows = roundUp(tokens, M_MULTIPLE);
  const { hidden, attention, intermediate } = geometry;
  const alloc = (label: string, bytes: number) => memory.alloc('activations', label, bytes);
  const bytes = bytesOf(act);
  return {
    tokens: rows,
    tiles,
    input_ids: alloc('input_ids', rows * 4),
    positions: alloc('positions', rows * 4),
    sequence: alloc('sequence', rows * 8),
    globalTiles: alloc('global tiles', tiles * 16),
    windowTiles: alloc('window tiles', tiles * 16),
    hidden_states: alloc('hidden_states', rows * hidden * 4),
    normed: alloc('normed', rows * Math.max(hidden, attention) * bytes),
    wide: alloc('wide', rows * Math.max(3 * attention * bytes, intermediate * bytes, hidden * 4)),
  };
}

export function freeWorkspace(memory: GpuMemory, workspace: Workspace): void {
  for (const buffer of Object.values(workspace)) if (typeof buffer !== 'number') memory.free(buffer);
}

/** Bytes a token of the largest buffer: what the device's binding limit has to be divided by. */
export const widestRowBytes = ({ hidden, attention, intermediate }: Geometry, act: Arithmetic): number =>
  Math.max(3 * attention * bytesOf(act), intermediate * bytesOf(act), hidden * 4);

/** The work lists of a stream and its shape. */
export function planAttention(stream: TokenStream, tileRows: number, window: number) {
  const { cu_seqlens } = stream;
  const globalList = attentionTiles(cu_seqlens, tileRows, 0);
  const windowList = window === 0 ? [] : attentionTiles(cu_seqlens, tileRows, window);
  let globalPairs = 0;
  let windowPairs = 0;
  for (let s = 0; s + 1 < cu_seqlens.length; s++) {
    const n = cu_seqlens[s + 1] - cu_seqlens[s];
    globalPairs += n * n;
    // Row i sees min(i, w) keys before it, itself, and min(n - 1 - i, w) after: 2w + 1 each but for the two ends.
    const w = Math.min(window, n - 1);
    windowPairs += n * (2 * w + 1) - w * (w + 1);
  }
  const shape: PassShape = {
    tokens: stream.input_ids.length,
    sequences: cu_seqlens.length - 1,
    globalTiles: globalList.length,
    windowTiles: windowList.length,
    globalPairs,
    windowPairs,
  };
  return { shape, globalTiles: tileWords(globalList), windowTiles: tileWords(windowList) };
}

/** Writes a stream into the workspace. Rows that pad the last tile are token 0, so that nothing there is ever NaN. */
export function writeStream(
  memory: GpuMemory,
  workspace: Workspace,
  stream: TokenStream,
  plan: { globalTiles: Uint32Array<ArrayBuffer>; windowTiles: Uint32Array<ArrayBuffer> },
): void {
  const { queue } = memory.gpu.device;
  const input_ids = new Uint32Array(roundUp(stream.input_ids.length, M_MULTIPLE));
  input_ids.set(stream.input_ids);
  queue.writeBuffer(workspace.input_ids, 0, input_ids);
  queue.writeBuffer(workspace.positions, 0, stream.positions);
  queue.writeBuffer(workspace.sequence, 0, sequenceBounds(stream));
  queue.writeBuffer(workspace.globalTiles, 0, plan.globalTiles);
  queue.writeBuffer(workspace.windowTiles, 0, plan.windowTiles);
}
