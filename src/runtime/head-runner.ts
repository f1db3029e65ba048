import { COPY_DST, type GpuMemory, MAP_READ } from '../gpu/buffers';
import { rememberingBind } from '../gpu/kernel';
import type { Submission } from '../gpu/submission';
import { poolSpan } from '../kernels/pool';
import { roundUp } from '../kernels/storage';
import type { ModelConfig } from '../model/config';
import type { Geometry } from '../model/geometry';
import {
  embeddingWidths,
  type Head,
  type HeadContext,
  type HeadKernels,
  type HeadSpace,
  headChunk,
  isByRow,
} from '../model/heads';
import type { Weights } from '../model/weights';
import type { TokenStream } from '../packing/stream';
import type { Workspace } from './workspace';

/** A head's work in one pass: stream rows for heads by row, indices of the pass's sequences for the others. */
export interface HeadRequest {
  head: Head;
  indices: Uint32Array;
}

/** A head's answer: `data` is [indices, width], row-major: f32, for top_k pairs of (u32 id, f32 probability). */
export interface HeadResult {
  data: Float32Array<ArrayBuffer>;
  width: number;
}

/** Heads work on at most this many rows at a time, and on fewer where a row of their answer is large. */
const MOST_ROWS = 1024;
const CHUNK_BYTES = 64 << 20;
/** Read back in one go at the most; larger answers take several submits. */
const READBACK_BYTES = 128 << 20;

/** Owns the heads' buffers and runs the heads of a pass, in chunks of rows. */
export class HeadRunner {
  #space: Partial<HeadSpace> = {};
  #indices: GPUBuffer | undefined;
  /** Those that no pass is waiting for. */
  #readbacks: GPUBuffer[] = [];
  readonly #bind: HeadContext['bind'];

  constructor(
    readonly memory: GpuMemory,
    readonly config: ModelConfig,
    readonly geometry: Geometry,
    readonly weights: Weights,
    readonly kernels: HeadKernels,
  ) {
    this.#bind = rememberingBind(memory.gpu);
  }

  /**
   * Answers `requests` from the hidden states that the steps recorded in `job` leave in the workspace. Submits, at least once, and calls
   * `submitted` after the last time; it may reject.
   */
  async run(
    job: Submission,
    stream: TokenStream,
    workspace: Workspace,
    requests: HeadRequest[],
    submitted: () => Promise<void>,
  ): Promise<HeadResult[]> {
    const { config, geometry, weights, kernels, memory } = this;
    const results = requests.map(({ head, indices }): HeadResult => {
      const { width } = this.#answer(head);
      return { data: new Float32Array(indices.length * width), width };
    });
    const chunks = this.#chunks(stream, requests);
    const bytes = chunks.map(({ head, count }) => count * this.#answer(head).stride * 4);
    const total = bytes.reduce((a, b) => a + b, 0);
    const context: HeadContext = {
      gpu: memory.gpu,
      bind: this.#bind,
      config,
      geometry,
      weights,
      kernels,
      workspace,
      space: this.#prepare(requests, chunks),
      tokens: stream.input_ids.length,
    };
    const readback = memory.grow(
      this.#readbacks.pop(),
      'activations',
      'readback',
      Math.min(total, Math.max(READBACK_BYTES, ...bytes)),
      MAP_READ | COPY_DST,
    );
    let waiting: { chunk: (typeof chunks)[number]; at: number }[] = [];
    let filled = 0;
    const drain = async (afterSubmit?: () => Promise<void>) => {
      const [data] = await Promise.all([job.read(readback, filled), afterSubmit?.()]);
      for (const { chunk, at } of waiting) {
        const { data: to, width } = results[chunk.request];
        copyRows(data.subarray(at / 4), this.#answer(chunk.head).stride, to, chunk.first, width, chunk.count);
      }
      waiting = [];
      filled = 0;
    };
    try {
      for (const [c, chunk] of chunks.entries()) {
        if (filled + bytes[c] > readback.size) await drain();
        const indices = { buffer: this.#indices!, offset: chunk.offset * 4, size: chunk.words.length * 4 };
        const { dispatches, source } = await headChunk(context, chunk.head, chunk.count, indices);
        for (const dispatch of dispatches) job.dispatch(dispatch);
        job.copy(source, 0, readback, filled, bytes[c]);
        waiting.push({ chunk, at: filled });
        filled += bytes[c];
      }
      await drain(submitted);
    } catch (error) {
      memory.free(readback);
      throw error;
    }
    this.#readbacks.push(readback);
    return results;
  }

  /** Frees the buffers; the next run makes new ones. */
  release(): void {
    const { a, b, logits, best } = this.#space;
    for (const buffer of [a, b, logits, best, this.#indices, ...this.#readbacks]) if (buffer) this.memory.free(buffer);
    this.#space = {};
    this.#indices = undefined;
    this.#readbacks = [];
  }

  /** A row of a head's answer: floats on the GPU, and how many of them count. */
  #answer(head: Head): { stride: number; width: number } {
    if (head.kind === 'top_k') return { stride: head.k * 2, width: head.k * 2 };
    if (head.kind === 'hidden') return { stride: this.geometry.hidden, width: this.config.hidden_size };
    if (head.kind === 'pooled' || head.kind === 'token_embeddings') {
      const { stride, columns } = this.#widths(head).at(-1)!;
      return { stride, width: (head.kind === 'pooled' && head.dimensions) || columns };
    }
    return this.#logits();
  }

  /** How wide an embedding is on its way; other heads work on hidden states. */
  #widths(head: Head) {
    const poolings = head.kind === 'pooled' ? head.pooling.length : 1;
    const { pooled, widths } = embeddingWidths(this.config, this.geometry, this.kernels.modules, poolings);
    return head.kind === 'pooled' || head.kind === 'token_embeddings' ? [pooled, ...widths] : [pooled];
  }

  #logits(): { stride: number; width: number } {
    const { classifier } = this.weights;
    if (classifier) return { stride: classifier.n, width: classifier.labels };
    return { stride: this.geometry.vocab, width: this.config.vocab_size };
  }

  /** Rows that a head computes at a time; a multiple of 64, so that every chunk of the row lists starts at a bindable offset. */
  #chunkRows(head: Head): number {
    const widths = this.#widths(head).map(({ stride }) => stride);
    const widest = Math.max(...widths, this.#answer(head).stride, head.kind === 'top_k' ? this.#logits().stride : 0);
    return Math.max(64, Math.min(MOST_ROWS, Math.floor(CHUNK_BYTES / (widest * 4) / 64) * 64));
  }

  /** The requests in chunks. `words` are the chunk's rows, or spans of its sequences; `offset` is where they lie in the row lists. */
  #chunks({ cu_seqlens }: TokenStream, requests: HeadRequest[]) {
    let offset = 0;
    return requests.flatMap(({ head, indices }, request) => {
      const most = this.#chunkRows(head);
      const skip = head.kind === 'pooled' ? head.skip : 0;
      return Array.from({ length: Math.ceil(indices.length / most) }, (_, c) => {
        const part = indices.subarray(c * most, (c + 1) * most);
        const words = isByRow(head)
          ? part
          : Uint32Array.from([...part].flatMap((s) => poolSpan(cu_seqlens[s], cu_seqlens[s + 1], skip)));
        const chunk = { request, head, first: c * most, count: part.length, words, offset };
        offset = roundUp(offset + words.length, 64);
        return chunk;
      });
    });
  }

  /** Buffers for these chunks, and their rows written to the row lists. */
  #prepare(
    requests: HeadRequest[],
    chunks: { head: Head; count: number; words: Uint32Array; offset: number }[],
  ): HeadSpace {
    const { memory } = this;
    const grow = (old: GPUBuffer | undefined, label: string, bytes: number) =>
      memory.grow(old, 'activations', label, bytes);
    const rowsOf = (wanted: (head: Head) => boolean) =>
      roundUp(Math.max(0, ...chunks.filter(({ head }) => wanted(head)).map(({ count }) => count)), 64);
    const rows = Math.max(
      64,
      rowsOf(() => true),
    );
    const logitRows = rowsOf(({ kind }) => kind === 'logits' || kind === 'sequence_logits' || kind === 'top_k');
    const widest = Math.max(...chunks.flatMap(({ head }) => this.#widths(head).map(({ stride }) => stride)), 0);
    const k = Math.max(0, ...requests.map(({ head }) => (head.kind === 'top_k' ? head.k : 0)));
    const { a, b, logits, best } = this.#space;
    const space: HeadSpace = {
      a: grow(a, 'head a', rows * widest * 4),
      b: grow(b, 'head b', rows * widest * 4),
      logits: logitRows > 0 ? grow(logits, 'logits', logitRows * this.#logits().stride * 4) : logits,
      best: k > 0 ? grow(best, 'top_k', logitRows * k * 8) : best,
    };
    this.#space = space;

    const end = chunks.length > 0 ? chunks[chunks.length - 1].offset + chunks[chunks.length - 1].words.length : 0;
    const lists = new Uint32Array(Math.max(64, end));
    for (const { words, offset } of chunks) lists.set(words, offset);
    this.#indices = grow(this.#indices, 'row lists', lists.byteLength);
    memory.gpu.device.queue.writeBuffer(this.#indices, 0, lists);
    return space;
  }
}

/** Copies `rows` rows of `stride` floats to row `first` of a matrix `width` wide. */
export function copyRows(
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
