import type { MemoryUse } from '../api/types';
import { COPY_DST, type GpuMemory, MAP_READ } from '../gpu/buffers';
import { type Gpu, guarded } from '../gpu/device';
import type { Profiler } from '../gpu/profiler';
import { Submission } from '../gpu/submission';
import type { AttentionPlan } from '../kernels/attention';
import type { Compile, CompiledStep } from '../kernels/compile';
import { M_MULTIPLE } from '../kernels/gemm-spec';
import { type Slot, slotsOf, type Unit } from '../kernels/step';
import { roundUp } from '../kernels/storage';
import type { PassSizes } from '../model/family';
import { allTokens } from '../model/heads/rows';
import type { LoadedModel } from '../model/model';
import { type StreamOptions, tokenStream } from '../packing/stream';
import { copyRows, type HeadRequest, type HeadResult, type HeadRunner } from './head-runner';
import { type Pass, passOf } from './pass';
import { SlotBuffers } from './slot-buffers';

export interface PassResult {
  heads: HeadResult[];
  /** If asked for: [rows, hidden_size] before each layer, and before final_norm. */
  hidden_states?: Float32Array<ArrayBuffer>[];
  dispatches: number;
  /** Of the encoder's matrix products: useful floating-point operations, and all with those on padding. */
  flops: number;
  issuedFlops: number;
}

export interface RunOptions extends Pick<StreamOptions, 'keys' | 'token_type_ids'> {
  /** Stream rows whose hidden states are wanted before each layer and before final_norm. */
  hiddenRows?: Uint32Array;
  profiler?: Profiler;
  /** Called when the GPU has all of the pass and had memory for it: the next may be run before this one has its results. */
  onSubmitted?: () => void;
}

/** The encoder's steps with their kernels. */
export interface CompiledEncoder {
  constants: CompiledStep<PassSizes>[];
  embeddings: CompiledStep<PassSizes>[];
  layers: CompiledStep<PassSizes>[][];
  /** The attention's, by window. */
  plans: Map<number, AttentionPlan>;
}

/** Compiles a model's encoder, all kernels side by side. */
export async function compileEncoder({ encoder }: LoadedModel, compile: Compile): Promise<CompiledEncoder> {
  const all = (steps: LoadedModel['encoder']['embeddings']) => Promise.all(steps.map((step) => compile(step)));
  const stages = [encoder.constants ?? [], encoder.embeddings, ...encoder.layers];
  const [constants, embeddings, ...layers] = await Promise.all(stages.map(all));
  const plans = new Map<number, AttentionPlan>();
  for (const { step, plan } of layers.flat()) if (plan && 'attention' in step) plans.set(step.attention.window, plan);
  return { constants, embeddings, layers, plans };
}

/** RoPE's tables have at least so many positions, and a power of two of them: few passes need larger ones. */
const LEAST_POSITIONS = 512;

/** Owns a model's GPU buffers and runs passes on them. A pass must not begin before the one before is submitted or has failed. */
export class Runtime {
  readonly #buffers: SlotBuffers;
  readonly #slots: Slot[];
  readonly #heads: HeadRunner;
  #readback: GPUBuffer | undefined;
  /** Whether the buffers hold what depends on the weights alone. */
  #hasConstants = false;

  constructor(
    readonly gpu: Gpu,
    readonly memory: GpuMemory,
    readonly model: LoadedModel,
    /** May be replaced by the same steps with other kernels, before a pass begins or after it is submitted. */
    public steps: CompiledEncoder,
    heads: HeadRunner,
  ) {
    this.#heads = heads;
    this.#buffers = new SlotBuffers(memory);
    const { encoder } = model;
    // Heads of sequences normalise the whole stream, into a buffer that the layers need no more.
    this.#slots = largestOf([
      ...[encoder.constants ?? [], encoder.embeddings, ...encoder.layers].flat().flatMap(slotsOf),
      allTokens(encoder).slot,
    ]);
  }

  /** Tokens that one pass can hold on this device. */
  get tokenLimit(): number {
    const { maxStorageBufferBindingSize, maxBufferSize } = this.gpu.limits;
    const widest = this.#slots.reduce((most, { per, bytes }) => (per === 'token' ? Math.max(most, bytes) : most), 0);
    const rows = Math.floor(Math.min(maxStorageBufferBindingSize, maxBufferSize) / widest);
    return Math.min(Math.floor(rows / M_MULTIPLE) * M_MULTIPLE, 32768);
  }

  memoryUse(): MemoryUse {
    return this.memory.use();
  }

  dispose(): void {
    this.memory.dispose();
    this.gpu.device.destroy();
  }

  /** Runs the encoder over `sequences` as one stream, then every head. */
  async run(sequences: Uint32Array[], requests: HeadRequest[], options: RunOptions = {}): Promise<PassResult> {
    try {
      return await guarded(this.gpu, (submitted) =>
        this.#run(sequences, requests, options, () => submitted().then(options.onSubmitted)),
      );
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  async #run(
    sequences: Uint32Array[],
    requests: HeadRequest[],
    options: RunOptions,
    submitted: () => Promise<void>,
  ): Promise<PassResult> {
    const { config } = this.model;
    const stream = tokenStream(sequences, { ...options, padding_idx: config.padding_idx });
    const pass = passOf(stream, this.steps.plans);
    this.#prepare(pass);

    const job = new Submission(this.gpu, options.profiler);
    const { bufferOf } = this.#buffers;
    const run = (steps: CompiledStep<PassSizes>[]) => {
      for (const step of steps) job.dispatch(step.dispatch(pass.sizes, bufferOf));
    };
    if (!this.#hasConstants) run(this.steps.constants);
    this.#hasConstants = true;
    const hidden_states: Float32Array<ArrayBuffer>[] = [];
    for (const steps of [this.steps.embeddings, ...this.steps.layers]) {
      run(steps);
      if (options.hiddenRows) hidden_states.push(await this.#readHidden(job, options.hiddenRows));
    }
    const heads = await this.#heads.run(job, stream, pass.sizes, this.#buffers, requests, submitted);
    const { dispatches, flops, issuedFlops } = job;
    return { heads, hidden_states: options.hiddenRows && hidden_states, dispatches, flops, issuedFlops };
  }

  /** After a failed pass: a buffer that the GPU had no memory for must not be used again. */
  #release(): void {
    this.#buffers.release();
    this.#hasConstants = false;
    if (this.#readback) this.memory.free(this.#readback);
    this.#readback = undefined;
    this.#heads.release();
  }

  /** Makes room for a pass and writes its stream. */
  #prepare({ sizes, inputs }: Pass): void {
    const tiles = [...sizes.attention.values()].reduce((most, attention) => Math.max(most, attention.tiles), 0);
    const units: Partial<Record<Unit, number>> = {
      token: roundUp(sizes.tokens, M_MULTIPLE),
      tile: roundUp(tiles, 64),
      position: Math.max(LEAST_POSITIONS, 2 ** Math.ceil(Math.log2(sizes.longest))),
      model: 1,
    };
    this.#buffers.reserve(this.#slots.map((slot) => ({ slot, units: units[slot.per]! })));
    for (const { slot, data } of inputs) {
      if (this.#buffers.has(slot)) this.gpu.device.queue.writeBuffer(this.#buffers.bufferOf(slot), 0, data);
    }
  }

  /** The residual stream's rows. */
  async #readHidden(job: Submission, rows: Uint32Array): Promise<Float32Array<ArrayBuffer>> {
    const { hidden_states, hidden_size } = this.model.encoder;
    const rowBytes = hidden_states.bytes;
    const bytes = rows.length * rowBytes;
    const usage = MAP_READ | COPY_DST;
    this.#readback = this.memory.grow(this.#readback, 'activations', 'hidden states readback', bytes, usage);
    for (let i = 0; i < rows.length; ) {
      let n = 1;
      while (i + n < rows.length && rows[i + n] === rows[i] + n) n++;
      const from = this.#buffers.bufferOf(hidden_states);
      job.copy(from, rows[i] * rowBytes, this.#readback, i * rowBytes, n * rowBytes);
      i += n;
    }
    const data = await job.read(this.#readback, bytes);
    const state = new Float32Array(rows.length * hidden_size);
    copyRows(data, rowBytes / 4, state, 0, hidden_size, rows.length);
    return state;
  }
}

/** The largest slot of each label. */
function largestOf(slots: Slot[]): Slot[] {
  const largest = new Map<string, Slot>();
  for (const slot of slots) {
    if (slot.bytes > (largest.get(slot.label)?.bytes ?? 0)) largest.set(slot.label, slot);
  }
  return [...largest.values()];
}
