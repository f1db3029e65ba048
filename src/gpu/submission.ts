import { MAP_MODE_READ } from './buffers';
import type { Gpu } from './device';
import { settled } from './firefox';
import type { Dispatch } from './kernel';
import type { Profiler } from './profiler';

/**
 * Records dispatches and copies, and submits them when something is read. Consecutive dispatches share one compute pass; everything between
 * two reads is one submit, unless it is larger than the profile's flopsPerSubmit. With a profiler, each dispatch gets its own pass.
 */
export class Submission {
  dispatches = 0;
  flops = 0;
  issuedFlops = 0;
  #submittedFlops = 0;
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
    if (this.flops - this.#submittedFlops > this.gpu.profile.flopsPerSubmit) this.#submit();
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
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = undefined;
  }
}
