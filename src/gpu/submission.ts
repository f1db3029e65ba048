import { MAP_MODE_READ } from './buffers';
import type { Gpu } from './device';
import { settled } from './firefox';
import type { Dispatch } from './kernel';
import type { Profiler } from './profiler';

/** Dispatches of the first submit. Those after it have twice as many each: the GPU has work while they are encoded, and it takes few submits. */
const FIRST_PART = 32;

/**
 * Records dispatches and copies, and submits them when something is read, and before that in parts: the GPU begins while the rest is encoded. No part
 * is larger than the profile's flopsPerSubmit. Consecutive dispatches share one compute pass; with a profiler, each gets its own.
 */
export class Submission {
  dispatches = 0;
  flops = 0;
  issuedFlops = 0;
  #submittedFlops = 0;
  /** How many dispatches there are when the next part ends. */
  #end = FIRST_PART;
  #commands: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;

  constructor(
    readonly gpu: Gpu,
    readonly profiler?: Profiler,
  ) {}

  dispatch({ kernel, label = kernel.label, bindGroup, workgroups, flops = 0, issuedFlops = 0 }: Dispatch): void {
    if (this.profiler) this.#endPass();
    this.#commands ??= this.gpu.device.createCommandEncoder();
    this.#pass ??= this.#commands.beginComputePass({ timestampWrites: this.profiler?.next(label, flops) });
    this.#pass.setPipeline(kernel.pipeline);
    this.#pass.setBindGroup(0, bindGroup);
    this.#pass.dispatchWorkgroups(...workgroups);
    this.dispatches++;
    this.flops += flops;
    this.issuedFlops += issuedFlops;
    if (this.dispatches === this.#end || this.flops - this.#submittedFlops > this.gpu.profile.flopsPerSubmit)
      this.#submit();
  }

  copy(from: GPUBuffer, fromOffset: number, to: GPUBuffer, toOffset: number, bytes: number): void {
    this.#endPass();
    this.#commands ??= this.gpu.device.createCommandEncoder();
    this.#commands.copyBufferToBuffer(from, fromOffset, to, toOffset, bytes);
  }

  /** Submits everything recorded and returns the first `bytes` bytes of a MAP_READ buffer. */
  async read(buffer: GPUBuffer, bytes: number): Promise<Float32Array<ArrayBuffer>> {
    this.#submit();
    if (bytes === 0) return new Float32Array(0);
    await settled(this.gpu.device.queue, buffer.mapAsync(MAP_MODE_READ, 0, bytes));
    const data = new Float32Array(buffer.getMappedRange(0, bytes).slice(0));
    buffer.unmap();
    return data;
  }

  #submit(): void {
    this.#endPass();
    if (this.#commands) this.gpu.device.queue.submit([this.#commands.finish()]);
    this.#commands = undefined;
    this.#submittedFlops = this.flops;
    this.#end = 2 * this.dispatches + FIRST_PART;
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = undefined;
  }
}
