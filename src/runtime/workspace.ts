import type { Arithmetic, Compute } from '../api/types';
import { GROUP } from '../formats/quantize';
import type { GpuMemory } from '../gpu/buffers';
import { type AttentionTile, attentionPairs } from '../kernels/attention';
import { M_MULTIPLE } from '../kernels/gemm';
import { bytesOf, roundUp } from '../kernels/storage';
import type { ModelConfig } from '../model/config';
import { type Geometry, ropeTable } from '../model/geometry';
import { attentionTiles, keyBounds, type TokenStream, tileWords } from '../packing/stream';

/** What a pass is made of, in numbers: how many workgroups each kernel needs follows from these. */
export interface PassShape {
  tokens: number;
  sequences: number;
  /** Tokens of the longest sequence. */
  longest: number;
  global: AttentionShape;
  window: AttentionShape;
}

/** Attention in global or in window layers: tiles of the work list; for FLOPs the query-key pairs that count, and all that are computed. */
export interface AttentionShape {
  tiles: number;
  pairs: number;
  issuedPairs: number;
}

/** The buffers that a pass works in; layers reuse them. Widths are the geometry's padded ones, rows are padded to M_MULTIPLE. */
export interface Workspace {
  tokens: number;
  tiles: number;
  longest: number;
  rope: Map<number, GPUBuffer>; // by theta: f32 [longest, headDim]
  input_ids: GPUBuffer; // u32 [tokens]
  positions: GPUBuffer; // u32 [tokens]
  global: AttentionLists;
  window: AttentionLists;
  hidden_states: GPUBuffer; // f32 [tokens, hidden]: the residual stream
  normed: GPUBuffer; // act [tokens, max(hidden, attention)]: what LayerNorm or attention gives to the next GEMM
  int8: { a: GPUBuffer; a_scales: GPUBuffer } | undefined; // i8 [tokens, widest k], f32 [tokens, widest k / 32]: a GEMM's input, rounded
  wide: GPUBuffer; // act [tokens, max(3 attention, intermediate)]: q, k, v; then GeGLU's output; f32 [tokens, hidden] at the end
}

/** What tells the attention kernel where to look. */
export interface AttentionLists {
  bounds: GPUBuffer; // u32 [tokens, 2]: first and end of the keys that a row sees
  tiles: GPUBuffer; // u32 [tiles, 4]: q_start, q_end, k_start, k_end
}

/** RoPE's tables have at least so many positions, and a power of two of them: few passes make new ones. */
const LEAST_POSITIONS = 512;

/** Allocates for passes of at least this shape. */
export function allocWorkspace(
  memory: GpuMemory,
  config: ModelConfig,
  geometry: Geometry,
  act: Arithmetic,
  compute: Compute,
  { tokens, tiles, longest: needed }: Pick<Workspace, 'tokens' | 'tiles' | 'longest'>,
): Workspace {
  const rows = roundUp(tokens, M_MULTIPLE);
  const { hidden, attention, intermediate } = geometry;
  const alloc = (label: string, bytes: number) => memory.alloc('activations', label, bytes);
  const bytes = bytesOf(act);
  const longest = Math.max(LEAST_POSITIONS, 2 ** Math.ceil(Math.log2(needed)));
  const rope = new Map<number, GPUBuffer>();
  for (const theta of new Set(config.layers.map((layer) => layer.rope_theta))) {
    const table = ropeTable(config, geometry, theta, longest);
    const buffer = alloc(`rope ${theta}`, table.byteLength);
    memory.gpu.device.queue.writeBuffer(buffer, 0, table);
    rope.set(theta, buffer);
  }
  const widest = rows * Math.max(hidden, attention, intermediate);
  return {
    tokens: rows,
    tiles,
    longest,
    rope,
    input_ids: alloc('input_ids', rows * 4),
    positions: alloc('positions', rows * 4),
    global: { bounds: alloc('global bounds', rows * 8), tiles: alloc('global tiles', tiles * 16) },
    window: { bounds: alloc('window bounds', rows * 8), tiles: alloc('window tiles', tiles * 16) },
    hidden_states: alloc('hidden_states', rows * hidden * 4),
    normed: alloc('normed', rows * Math.max(hidden, attention) * bytes),
    int8:
      compute === 'int8'
        ? { a: alloc('int8', widest), a_scales: alloc('int8 scales', (widest * 4) / GROUP) }
        : undefined,
    wide: alloc('wide', rows * Math.max(3 * attention * bytes, intermediate * bytes, hidden * 4)),
  };
}

export function freeWorkspace(memory: GpuMemory, workspace: Workspace): void {
  const { tokens: _tokens, tiles: _tiles, longest: _longest, rope, global, window, int8 = {}, ...buffers } = workspace;
  const parts = [buffers, global, window, int8].map(Object.values<GPUBuffer>);
  for (const part of [...parts, rope.values()]) {
    for (const buffer of part) memory.free(buffer);
  }
}

/** Bytes a token of the largest buffer: what the device's binding limit has to be divided by. */
export const widestRowBytes = ({ hidden, attention, intermediate }: Geometry, act: Arithmetic): number =>
  Math.max(3 * attention * bytesOf(act), intermediate * bytesOf(act), hidden * 4);

/** A stream's shape and its work lists. */
export function planAttention(stream: TokenStream, tile: AttentionTile, window: number) {
  const lists = (reach: number) => ({
    bounds: keyBounds(stream, reach),
    tiles: attentionTiles(stream.cu_seqlens, tile.rows, reach),
  });
  const plan = { global: lists(0), window: lists(window) };
  const shapeOf = ({ bounds, tiles }: typeof plan.global): AttentionShape => {
    let pairs = 0;
    for (let i = 0; i < bounds.length; i += 2) pairs += bounds[i + 1] - bounds[i];
    const issuedPairs = tiles.reduce((sum, { k_start, k_end }) => sum + attentionPairs(k_end - k_start, tile), 0);
    return { tiles: tiles.length, pairs, issuedPairs };
  };
  const shape: PassShape = {
    tokens: stream.input_ids.length,
    sequences: stream.cu_seqlens.length - 1,
    longest: stream.positions.reduce((most, position) => Math.max(most, position + 1), 0),
    global: shapeOf(plan.global),
    window: shapeOf(plan.window),
  };
  return { shape, ...plan };
}

/** Writes a stream into the workspace. Rows that pad the last tile are token 0, so that nothing there is ever NaN. */
export function writeStream(
  { gpu }: GpuMemory,
  workspace: Workspace,
  stream: TokenStream,
  plan: Omit<ReturnType<typeof planAttention>, 'shape'>,
): void {
  const { queue } = gpu.device;
  const input_ids = new Uint32Array(roundUp(stream.input_ids.length, M_MULTIPLE));
  input_ids.set(stream.input_ids);
  queue.writeBuffer(workspace.input_ids, 0, input_ids);
  queue.writeBuffer(workspace.positions, 0, stream.positions);
  for (const kind of ['global', 'window'] as const) {
    queue.writeBuffer(workspace[kind].bounds, 0, plan[kind].bounds);
    queue.writeBuffer(workspace[kind].tiles, 0, tileWords(plan[kind].tiles));
  }
}
