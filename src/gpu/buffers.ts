import type { Gpu } from './device';

/** The category that `model.memory()` counts a buffer in. */
export type Kind = 'weights' | 'activations';

/** Allocates GPU buffers and counts every byte. One per model; owns its buffers. */
export class GpuMemory {
  readonly #buffers = new Map<GPUBuffer, Kind>();
  readonly #bytes: Record<Kind, number> = { weights: 0, activations: 0 };
  #peak = 0;

  constructor(readonly gpu: Gpu) {}

  /** Returns a new zeroed buffer of at least `size` bytes. Throws a RangeError if that is more than the device allows. */
  alloc(kind: Kind, label: string, size: number, usage: number = STORAGE | COPY_SRC | COPY_DST): GPUBuffer {
    const bytes = Math.max(16, Math.ceil(size / 16) * 16);
    const { maxBufferSize, maxStorageBufferBindingSize } = this.gpu.limits;
    const limit = usage & STORAGE ? Math.min(maxBufferSize, maxStorageBufferBindingSize) : maxBufferSize;
    if (bytes > limit) {
      throw new RangeError(
        `GPU buffer '${label}' needs ${bytes} bytes, but this device allows ${limit}. ${kind === 'weights' ? "Load the model with dtype: 'f16' or 'q8'." : 'Set a smaller maxTokensPerPass.'}`,
      );
    }
    const buffer = this.gpu.device.createBuffer({ label, size: bytes, usage });
    this.#buffers.set(buffer, kind);
    this.#bytes[kind] += bytes;
    this.#peak = Math.max(this.#peak, this.#bytes.weights + this.#bytes.activations);
    return buffer;
  }

  /** Returns `old` if it has at least `size` bytes; otherwise frees it, contents included, and returns a new buffer. */
  grow(old: GPUBuffer | undefined, kind: Kind, label: string, size: number, usage?: number): GPUBuffer {
    if (old && old.size >= size) return old;
    if (old) this.free(old);
    return this.alloc(kind, label, size, usage);
  }

  free(buffer: GPUBuffer): void {
    const kind = this.#buffers.get(buffer);
    if (!kind) return;
    this.#buffers.delete(buffer);
    this.#bytes[kind] -= buffer.size;
    buffer.destroy();
  }

  use(): { weights: number; activations: number; peak: number } {
    return { ...this.#bytes, peak: this.#peak };
  }

  dispose(): void {
    for (const buffer of [...this.#buffers.keys()]) this.free(buffer);
  }
}

// Values of GPUBufferUsage and of GPUMapMode.READ, which are not globals in Node.
export const MAP_MODE_READ = 0x1;
export const MAP_READ = 0x1;
export const COPY_SRC = 0x4;
export const COPY_DST = 0x8;
export const STORAGE = 0x80;
export const QUERY_RESOLVE = 0x200;
