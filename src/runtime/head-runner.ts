import { COPY_DST, type GpuMemory, MAP_READ } from '../gpu/buffers';
import type { Submission } from '../gpu/submission';
import type { Compile, CompiledStep } from '../kernels/compile';
import { M_MULTIPLE } from '../kernels/gemm-spec';
import { type Slot, slotsOf } from '../kernels/step';
import { roundUp } from '../kernels/storage';
import type { ChunkSizes, PassSizes } from '../model/family';
import { CHUNK_BYTES, type Head, type HeadSteps } from '../model/heads/head';
import { INDICES } from '../model/heads/rows';
import type { LoadedModel } from '../model/model';
import type { TokenStream } from '../packing/stream';
import { type Chunk, type ChunkLimits, chunksOf, rowMultiple } from './head-chunks';
import { SlotBuffers } from './slot-buffers';

/** A head's work in one pass: stream rows for heads by row, indices of the pass's sequences for the others. */
export interface HeadRequest {
  head: Head;
  indices: Uint32Array;
  /** For heads by sequence: the stream rows of each (poolSpan), three numbers a row of the answer. Default: the whole sequences. */
  spans?: Uint32Array;
  /** For heads that compute items apart: the items' parts of `indices`. */
  apart?: Apart[];
}

/** An item's number of rows, and its lists. */
export interface Apart {
  rows: number;
  lists: Uint32Array<ArrayBuffer>[];
}

/** A head's answer: `data` is [indices, width], row-major. */
export interface HeadResult {
  data: Float32Array<ArrayBuffer>;
  width: number;
}

/** Heads work on at most this many rows at a time, and on fewer where a row of their buffers is large. */
const MOST_ROWS = 1024;
/** Read back at once at the most; larger answers take several submits. */
const READBACK_BYTES = 128 << 20;

/** A head for this model, with its kernels. */
interface CompiledHead extends Pick<HeadSteps, 'answer' | 'stride' | 'width'>, ChunkLimits {
  steps: CompiledStep<ChunkSizes>[];
  slots: Slot[];
}

/** Owns the heads' buffers and runs the heads of a pass, in chunks of rows. */
export class HeadRunner {
  readonly #compiled = new Map<string, Promise<CompiledHead>>();
  readonly #buffers: SlotBuffers;
  /** Those that no pass is waiting for. */
  #readbacks: GPUBuffer[] = [];

  constructor(
    readonly memory: GpuMemory,
    readonly model: LoadedModel,
    readonly compile: Compile,
    /** Throws if a kernel compiled since the last time computes something wrong. */
    readonly check: () => Promise<void> = async () => {},
  ) {
    this.#buffers = new SlotBuffers(memory);
  }

  /** Compiles a head, once. */
  prepare(head: Head): Promise<CompiledHead> {
    const known = this.#compiled.get(head.key) ?? this.#prepare(head);
    this.#compiled.set(head.key, known);
    known.catch(() => this.#compiled.delete(head.key)); // the reason may be gone by the next time
    return known;
  }

  async #prepare(head: Head): Promise<CompiledHead> {
    const { steps, ...answer } = head.build(this.model);
    const slots = steps.flatMap(slotsOf);
    const fitting = (unit: Slot['per']) =>
      CHUNK_BYTES / slots.reduce((most, { per, bytes }) => (per === unit ? Math.max(most, bytes) : most), 0);
    const multiple = rowMultiple(head);
    const chunkRows = Math.max(multiple, Math.min(MOST_ROWS, Math.floor(fitting('row') / multiple) * multiple));
    const chunkTokens = head.gathers ? Math.floor(fitting('token')) : Infinity;
    const compiled = await Promise.all(steps.map((step) => this.compile(step)));
    await this.check();
    return { ...answer, slots, chunkRows, chunkTokens, steps: compiled };
  }

  /**
   * Answers `requests` from the hidden states that the steps recorded in `job` leave in `encoder`, the encoder's buffers. Submits, at least
   * once, and calls `submitted` after the last time; it may reject.
   */
  async run(
    job: Submission,
    stream: TokenStream,
    sizes: PassSizes,
    encoder: SlotBuffers,
    requests: HeadRequest[],
    submitted: () => Promise<void>,
  ): Promise<HeadResult[]> {
    const { memory } = this;
    const compiled = await Promise.all(requests.map(({ head }) => this.prepare(head)));
    const results = requests.map(({ indices }, r): HeadResult => {
      const { width } = compiled[r];
      return { data: new Float32Array(indices.length * width), width };
    });
    const chunks = chunksOf(requests, compiled, stream);
    const bytes = chunks.map((chunk) => chunk.rows * compiled[chunk.request].stride * 4);
    const total = bytes.reduce((a, b) => a + b, 0);
    this.#reserve(chunks, compiled, encoder);
    const bufferOf = (slot: Slot) => (encoder.has(slot) ? encoder : this.#buffers).bufferOf(slot);
    const readback = memory.grow(
      this.#readbacks.pop(),
      'activations',
      'readback',
      Math.min(
        total,
        bytes.reduce((a, b) => Math.max(a, b), READBACK_BYTES),
      ),
      MAP_READ | COPY_DST,
    );
    let waiting: { chunk: Chunk; at: number }[] = [];
    let filled = 0;
    const drain = async (afterSubmit?: () => Promise<void>) => {
      const [data] = await Promise.all([job.read(readback, filled), afterSubmit?.()]);
      for (const { chunk, at } of waiting) {
        const { data: to, width } = results[chunk.request];
        copyRows(data.subarray(at / 4), compiled[chunk.request].stride, to, chunk.first, width, chunk.rows);
      }
      waiting = [];
      filled = 0;
    };
    try {
      for (const [c, chunk] of chunks.entries()) {
        if (filled + bytes[c] > readback.size) await drain();
        const { rows, tokens, words, offset, spansAt, lists } = chunk;
        const part = (from: number, to: number, at = offset) => ({ offset: (at + from) * 4, size: (to - from) * 4 });
        const own: ChunkSizes = {
          ...sizes,
          rows,
          tokens,
          indices: part(0, chunk.head.gathers ? tokens : words.length),
          spans: part(spansAt, words.length),
          lists: lists.map((list) => part(0, list.words.length, list.offset)),
        };
        const { steps, answer } = compiled[chunk.request];
        for (const step of steps) job.dispatch(step.dispatch(own, bufferOf));
        job.copy(bufferOf(answer), 0, readback, filled, bytes[c]);
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
    this.#buffers.release();
    for (const buffer of this.#readbacks) this.memory.free(buffer);
    this.#readbacks = [];
  }

  /** Makes room for one chunk at a time, in slots that the encoder does not have, and writes all row lists. */
  #reserve(chunks: Chunk[], compiled: CompiledHead[], encoder: SlotBuffers): void {
    const all = chunks.flatMap((chunk) => [chunk, ...chunk.lists]);
    const end = all.reduce((most, { words, offset }) => Math.max(most, offset + words.length), 64);
    const lists = new Uint32Array(end);
    for (const { words, offset } of all) lists.set(words, offset);
    const needs = chunks.flatMap(({ head, request, rows, tokens }) =>
      compiled[request].slots
        .filter((slot) => slot.label !== INDICES.label && !encoder.has(slot))
        .map((slot) => ({
          slot,
          units: slot.per === 'token' ? roundUp(tokens, M_MULTIPLE) : roundUp(rows, rowMultiple(head)),
        })),
    );
    this.#buffers.reserve([...needs, { slot: INDICES, units: end }]);
    this.memory.gpu.device.queue.writeBuffer(this.#buffers.bufferOf(INDICES), 0, lists);
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
