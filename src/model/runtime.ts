import type { Arithmetic, MemoryUse } from '../api';
import { COPY_DST, type GpuMemory, MAP_READ } from '../gpu/buffers';
import { type Gpu, guarded } from '../gpu/device';
import type { Step } from '../gpu/kernel';
import type { Profiler } from '../gpu/profiler';
import { Submission } from '../gpu/submission';
import { roundUp } from '../kernels/precision';
import { type TokenStream, tokenStream } from '../packing/stream';
import type { ModelConfig } from './config';
import type { Geometry } from './geometry';
import {
  chunkRows,
  type Head,
  type HeadContext,
  type HeadKernels,
  type HeadSpace,
  headChunk,
  isByRow,
  logitColumns,
} from './heads';
import { buildEncoder, type EncoderKernels } from './modernbert';
import type { Weights } from './weights';
import {
  allocWorkspace,
  freeWorkspace,
  type PassShape,
  planAttention,
  type Workspace,
  widestRowBytes,
  writeStream,
} from './workspace';

/** A head's work in one pass: stream rows for heads by row, indices of the pass's sequences for the others. */
export interface HeadRequest {
  head: Head;
  indices: Uint32Array;
}

/** A head's answer: `data` is [indices, width], row-major; u32 (id, f32 bits) pairs for top_k, f32 otherwise. */
export interface HeadResult {
  data: Float32Array<ArrayBuffer>;
  width: number;
}

export interface PassResult {
  heads: HeadResult[];
  /** Where asked for: [rows, hidden_size] before each layer, and before final_norm. */
  hidden_states?: Float32Array<ArrayBuffer>[];
  shape: PassShape;
  dispatches: number;
  /** Of the encoder's matrix products: useful floating-point operations, and all with those on padding. */
  flops: number;
  issuedFlops: number;
}

/** Read back in one go at the most; larger answers take several submits. */
const READBACK_BYTES = 128 << 20;

/** Owns a model's GPU buffers and runs passes on them, one at a time. */
export class Runtime {
  readonly #window: number;
  #workspace: Workspace | undefined;
  #steps: ReturnType<typeof buildEncoder> | undefined;
  #space: HeadSpace | undefined;
  #indices: GPUBuffer | undefined;
  #readback: GPUBuffer | undefined;

  constructor(
    readonly gpu: Gpu,
    readonly memory: GpuMemory,
    readonly config: ModelConfig,
    readonly geometry: Geometry,
    readonly weights: Weights,
    readonly kernels: EncoderKernels,
    readonly headKernels: HeadKernels,
    readonly act: Arithmetic,
  ) {
    this.#window = weights.layers.find((layer) => layer.window > 0)?.window ?? 0;
  }

  /** Tokens that one pass can hold on this device. */
  get tokenLimit(): number {
    const { maxStorageBufferBindingSize, maxBufferSize } = this.gpu.limits;
    const rows = Math.floor(
      Math.min(maxStorageBufferBindingSize, maxBufferSize) / widestRowBytes(this.geometry, this.act),
    );
    return Math.min(Math.floor(rows / 64) * 64, 32768);
  }

  memoryUse(): MemoryUse {
    return this.memory.use();
  }

  dispose(): void {
    this.memory.dispose();
    this.gpu.device.destroy();
  }

  /**
   * Runs the encoder over `sequences` as one stream, then every head. `hiddenRows`: stream rows whose hidden states are wanted
   * before each layer and before final_norm.
   */
  run(
    sequences: Uint32Array[],
    requests: HeadRequest[],
    options: { hiddenRows?: Uint32Array; profiler?: Profiler } = {},
  ): Promise<PassResult> {
    return guarded(this.gpu, async () => {
      const stream = tokenStream(sequences);
      const plan = planAttention(stream, this.kernels.tile, this.#window);
      const { workspace, steps } = this.#prepare(plan.shape);
      writeStream(this.memory, workspace, stream, plan);

      const job = new Submission(this.gpu, options.profiler);
      let hidden_states: Float32Array<ArrayBuffer>[] | undefined;
      const run = (part: Step<PassShape>[]) => {
        for (const step of part) {
          job.dispatch({
            ...step,
            workgroups: step.workgroups(plan.shape),
            flops: step.flops(plan.shape),
            issuedFlops: step.issuedFlops(plan.shape),
          });
        }
      };
      if (options.hiddenRows) {
        hidden_states = await this.#runLayersCapturing(job, run, options.hiddenRows);
      } else {
        run(steps.embeddings);
        for (const layer of steps.layers) run(layer);
      }
      const heads = await this.#runHeads(job, stream, requests);
      const { dispatches, flops, issuedFlops } = job;
      return { heads, hidden_states, shape: plan.shape, dispatches, flops, issuedFlops };
    });
  }

  /** The workspace and its steps, made anew when a pass does not fit. */
  #prepare({ tokens, global, window }: PassShape) {
    const tiles = Math.max(global.tiles, window.tiles);
    if (!this.#workspace || !this.#steps || tokens > this.#workspace.tokens || tiles > this.#workspace.tiles) {
      const old = this.#workspace;
      if (old) freeWorkspace(this.memory, old);
      this.#workspace = undefined;
      const { geometry, act } = this;
      const most = Math.max(tokens, old?.tokens ?? 0);
      const mostTiles = roundUp(Math.max(tiles, old?.tiles ?? 0), 64);
      this.#workspace = allocWorkspace(this.memory, geometry, act, most, mostTiles);
      this.#steps = buildEncoder(this.gpu, this.config, geometry, this.weights, this.kernels, this.#workspace);
    }
    return { workspace: this.#workspace, steps: this.#steps };
  }

  async #runLayersCapturing(
    job: Submission,
    run: (steps: Step<PassShape>[]) => void,
    rows: Uint32Array,
  ): Promise<Float32Array<ArrayBuffer>[]> {
    const { embeddings, layers } = this.#steps!;
    const { hidden: stride } = this.geometry;
    const width = this.config.hidden_size;
    const rowBytes = stride * 4;
    const readback = this.#readbackOf(rows.length * rowBytes);
    const stages: Float32Array<ArrayBuffer>[] = [];
    for (const steps of [embeddings, ...layers]) {
      run(steps);
      for (let i = 0; i < rows.length; ) {
        let n = 1;
        while (i + n < rows.length && rows[i + n] === rows[i] + n) n++;
        job.copy(this.#workspace!.hidden_states, rows[i] * rowBytes, readback, i * rowBytes, n * rowBytes);
        i += n;
      }
      const data = await job.read(readback, rows.length * rowBytes);
      const state = new Float32Array(rows.length * width);
      copyRows(data, stride, state, 0, width, rows.length);
      stages.push(state);
    }
    return stages;
  }

  async #runHeads(job: Submission, stream: TokenStream, requests: HeadRequest[]): Promise<HeadResult[]> {
    const columns = logitColumns(this.weights, this.config, this.geometry);
    const most = Math.max(1, ...requests.map(({ indices }) => indices.length));
    const space = this.#spaceFor(
      most,
      columns.stride,
      Math.max(0, ...requests.map(({ head }) => (head.kind === 'top_k' ? head.k : 0))),
    );
    const context: HeadContext = {
      gpu: this.gpu,
      geometry: this.geometry,
      weights: this.weights,
      kernels: this.headKernels,
      workspace: this.#workspace!,
      space,
      tokens: stream.input_ids.length,
    };
    // Every chunk's indices lie at a bindable offset (256 bytes) of one buffer.
    const chunks = requests.flatMap(({ head, indices }, request) =>
      Array.from({ length: Math.ceil(indices.length / space.rows) }, (_, c) => {
        const part = indices.subarray(c * space.rows, (c + 1) * space.rows);
        const words = isByRow(head)
          ? part
          : Uint32Array.from([...part].flatMap((s) => [stream.cu_seqlens[s], stream.cu_seqlens[s + 1]]));
        return { request, head, first: c * space.rows, count: part.length, words, offset: 0 };
      }),
    );
    let words = 0;
    for (const chunk of chunks) {
      chunk.offset = words;
      words = roundUp(words + chunk.words.length, 64);
    }
    const lists = new Uint32Array(Math.max(words, 64));
    for (const chunk of chunks) lists.set(chunk.words, chunk.offset);
    const indices = this.#indicesFor(lists);

    const results = requests.map(({ head, indices: of }): HeadResult => {
      const width =
        head.kind === 'top_k'
          ? head.k * 2
          : head.kind === 'hidden' || head.kind === 'pooled'
            ? this.config.hidden_size
            : columns.width;
      return { data: new Float32Array(of.length * width), width };
    });
    let waiting: { chunk: (typeof chunks)[number]; at: number; bytes: number }[] = [];
    let filled = 0;
    const rowBytesOf = (head: Head) =>
      head.kind === 'top_k'
        ? head.k * 8
        : head.kind === 'hidden' || head.kind === 'pooled'
          ? this.geometry.hidden * 4
          : columns.stride * 4;
    const budget = chunks.reduce((sum, { head, count }) => sum + count * rowBytesOf(head), 0);
    const largest = Math.max(0, ...chunks.map(({ head, count }) => count * rowBytesOf(head)));
    const readback = this.#readbackOf(Math.max(16, Math.min(budget, Math.max(READBACK_BYTES, largest))));
    const drain = async () => {
      const data = await job.read(readback, filled);
      for (const { chunk, at } of waiting) {
        const { data: to, width } = results[chunk.request];
        const stride = rowBytesOf(chunk.head) / 4;
        copyRows(data.subarray(at / 4), stride, to, chunk.first, width, chunk.count);
      }
      waiting = [];
      filled = 0;
    };
    for (const chunk of chunks) {
      const bound = { buffer: indices, offset: chunk.offset * 4, size: chunk.words.length * 4 };
      const { dispatches, source, bytes } = await headChunk(context, chunk.head, chunk.count, bound);
      if (filled + bytes > readback.size) await drain();
      for (const dispatch of dispatches) job.dispatch(dispatch);
      job.copy(source, 0, readback, filled, bytes);
      waiting.push({ chunk, at: filled, bytes });
      filled += bytes;
    }
    await drain();
    return results;
  }

  #spaceFor(rows: number, columns: number, k: number): HeadSpace {
    const needed = roundUp(Math.min(rows, chunkRows(columns)), 64);
    const bestBytes = needed * k * 8;
    const old = this.#space;
    if (old && old.rows >= needed && (old.best?.size ?? 0) >= bestBytes) return old;
    for (const buffer of [old?.a, old?.b, old?.logits, old?.best]) if (buffer) this.memory.free(buffer);
    this.#space = undefined;
    const n = Math.max(needed, old?.rows ?? 0);
    const alloc = (label: string, bytes: number) => this.memory.alloc('activations', label, bytes);
    this.#space = {
      rows: n,
      a: alloc('head a', n * this.geometry.hidden * 4),
      b: alloc('head b', n * this.geometry.hidden * 4),
      logits: columns > 0 ? alloc('logits', n * columns * 4) : undefined,
      best: k > 0 ? alloc('top_k', Math.max(n * k * 8, old?.best?.size ?? 0)) : undefined,
    };
    return this.#space;
  }

  #indicesFor(lists: Uint32Array<ArrayBuffer>): GPUBuffer {
    if (!this.#indices || this.#indices.size < lists.byteLength) {
      if (this.#indices) this.memory.free(this.#indices);
      this.#indices = this.memory.alloc('activations', 'row lists', lists.byteLength);
    }
    this.gpu.device.queue.writeBuffer(this.#indices, 0, lists);
    return this.#indices;
  }

  #readbackOf(bytes: number): GPUBuffer {
    if (!this.#readback || this.#readback.size < bytes) {
      if (this.#readback) this.memory.free(this.#readback);
      this.#readback = undefined;
      this.#readback = this.memory.alloc('activations', 'readback', bytes, MAP_READ | COPY_DST);
    }
    return this.#readback;
  }
}

/** Copies `rows` rows of `stride` floats to row `first` of a matrix `width` wide. */
function copyRows(
  from: Float32Array,
  stride: number,
  to: Float32Array,
  first: number,
  width: number,
  rows: number,
): void {
  if (stride === width) {
    to.set(from.subarray(0, rows * width), first * width);
    return;
  }
  for (let r = 0; r < rows; r++) to.set(from.subarray(r * stride, r * stride + width), (first + r) * width);
}
