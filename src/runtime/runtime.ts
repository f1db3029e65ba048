import type { Arithmetic, Compute, MemoryUse } from '../api/types';
import { COPY_DST, type GpuMemory, MAP_READ } from '../gpu/buffers';
import { type Gpu, guarded } from '../gpu/device';
import type { Step } from '../gpu/kernel';
import type { Profiler } from '../gpu/profiler';
import { Submission } from '../gpu/submission';
import { M_MULTIPLE } from '../kernels/gemm';
import { roundUp } from '../kernels/storage';
import type { ModelConfig } from '../model/config';
import { buildEncoder, type EncoderKernels } from '../model/families/modernbert';
import type { Geometry } from '../model/geometry';
import type { HeadKernels } from '../model/heads';
import type { Weights } from '../model/weights';
import { tokenStream } from '../packing/stream';
import { copyRows, type HeadRequest, type HeadResult, HeadRunner } from './head-runner';
import {
  allocWorkspace,
  freeWorkspace,
  type PassShape,
  planAttention,
  type Workspace,
  widestRowBytes,
  writeStream,
} from './workspace';

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

export interface RunOptions {
  keys?: (number | undefined)[];
  hiddenRows?: Uint32Array;
  profiler?: Profiler;
  /** Called when the GPU has got all of the pass and had memory for it: the next may be run before this one has its results. */
  onSubmitted?: () => void;
}

/** Owns a model's GPU buffers and runs passes on them. A pass must not be begun before the one before is submitted or has failed. */
export class Runtime {
  readonly #window: number;
  #workspace: Workspace | undefined;
  #steps: ReturnType<typeof buildEncoder> | undefined;
  readonly #heads: HeadRunner;
  #readback: GPUBuffer | undefined;

  constructor(
    readonly gpu: Gpu,
    readonly memory: GpuMemory,
    readonly config: ModelConfig,
    readonly geometry: Geometry,
    readonly weights: Weights,
    readonly kernels: EncoderKernels,
    headKernels: HeadKernels,
    readonly act: Arithmetic,
    readonly compute: Compute,
  ) {
    this.#heads = new HeadRunner(memory, config, geometry, weights, headKernels);
    this.#window = weights.layers.find((layer) => layer.window > 0)?.window ?? 0;
  }

  /** Tokens that one pass can hold on this device. */
  get tokenLimit(): number {
    const { maxStorageBufferBindingSize, maxBufferSize } = this.gpu.limits;
    const rows = Math.floor(
      Math.min(maxStorageBufferBindingSize, maxBufferSize) / widestRowBytes(this.geometry, this.act),
    );
    return Math.min(Math.floor(rows / M_MULTIPLE) * M_MULTIPLE, 32768);
  }

  memoryUse(): MemoryUse {
    return this.memory.use();
  }

  dispose(): void {
    this.memory.dispose();
    this.gpu.device.destroy();
  }

  /**
   * Runs the encoder over `sequences` as one stream, then every head. `keys`: see tokenStream. `hiddenRows`: stream rows whose hidden
   * states are wanted before each layer and before final_norm.
   */
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
    const stream = tokenStream(sequences, options.keys);
    const plan = planAttention(stream, this.kernels.tile, this.#window);
    const { workspace, steps } = this.#prepare(plan.shape);
    writeStream(this.memory, workspace, stream, plan);

    const job = new Submission(this.gpu, options.profiler);
    let hidden_states: Float32Array<ArrayBuffer>[] | undefined;
    const run = (part: Step<PassShape>[]) => {
      for (const step of part) job.dispatch(step(plan.shape));
    };
    if (options.hiddenRows) {
      hidden_states = await this.#runLayersCapturing(job, run, options.hiddenRows);
    } else {
      run(steps.embeddings);
      for (const layer of steps.layers) run(layer);
    }
    const heads = await this.#heads.run(job, stream, workspace, requests, submitted);
    const { dispatches, flops, issuedFlops } = job;
    return { heads, hidden_states, shape: plan.shape, dispatches, flops, issuedFlops };
  }

  /** After a failed pass: a buffer that the GPU had no memory for must not be used again. */
  #release(): void {
    if (this.#workspace) freeWorkspace(this.memory, this.#workspace);
    if (this.#readback) this.memory.free(this.#readback);
    this.#workspace = undefined;
    this.#steps = undefined;
    this.#readback = undefined;
    this.#heads.release();
  }

  /** The workspace and its steps, made anew when a pass does not fit. */
  #prepare({ tokens, longest, global, window }: PassShape) {
    const old = this.#workspace;
    const tiles = Math.max(global.tiles, window.tiles);
    if (!old || !this.#steps || tokens > old.tokens || tiles > old.tiles || longest > old.longest) {
      if (old) freeWorkspace(this.memory, old);
      this.#workspace = undefined;
      const { geometry, act, compute, config } = this;
      const workspace = allocWorkspace(this.memory, config, geometry, act, compute, {
        tokens: Math.max(tokens, old?.tokens ?? 0),
        tiles: roundUp(Math.max(tiles, old?.tiles ?? 0), 64),
        longest: Math.max(longest, old?.longest ?? 0),
      });
      this.#workspace = workspace;
      this.#steps = buildEncoder(this.gpu, config, geometry, this.weights, this.kernels, workspace);
      return { workspace, steps: this.#steps };
    }
    return { workspace: old, steps: this.#steps };
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
    this.#readback = this.memory.grow(
      this.#readback,
      'activations',
      'hidden states readback',
      rows.length * rowBytes,
      MAP_READ | COPY_DST,
    );
    const stages: Float32Array<ArrayBuffer>[] = [];
    for (const steps of [embeddings, ...layers]) {
      run(steps);
      for (let i = 0; i < rows.length; ) {
        let n = 1;
        while (i + n < rows.length && rows[i + n] === rows[i] + n) n++;
        job.copy(this.#workspace!.hidden_states, rows[i] * rowBytes, this.#readback, i * rowBytes, n * rowBytes);
        i += n;
      }
      const data = await job.read(this.#readback, rows.length * rowBytes);
      const state = new Float32Array(rows.length * width);
      copyRows(data, stride, state, 0, width, rows.length);
      stages.push(state);
    }
    return stages;
  }
}
