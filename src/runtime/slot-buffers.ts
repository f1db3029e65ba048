import type { GpuMemory } from '../gpu/buffers';
import type { Slot } from '../kernels/step';

/** Owns the buffers of slots: one per label, as large as the largest slot of that label. They only grow. */
export class SlotBuffers {
  readonly #buffers = new Map<string, GPUBuffer>();

  constructor(readonly memory: GpuMemory) {}

  /** Makes room for so many units of each slot; what a buffer that has to grow held is lost. */
  reserve(needs: { slot: Slot; units: number }[]): void {
    const largest = new Map<string, { bytes: number; slot: Slot; units: number }>();
    for (const { slot, units } of needs) {
      const bytes = slot.bytes * units;
      if (bytes > (largest.get(slot.label)?.bytes ?? -1)) largest.set(slot.label, { bytes, slot, units });
    }
    for (const [label, { bytes, slot, units }] of largest) {
      const old = this.#buffers.get(label);
      const buffer = this.memory.grow(old, 'activations', label, bytes);
      if (buffer === old) continue;
      this.#buffers.set(label, buffer);
      this.bufferOf = lookUp(this.#buffers);
      const contents = slot.contents?.(units);
      if (contents) this.memory.gpu.device.queue.writeBuffer(buffer, 0, contents);
    }
  }

  has = ({ label }: Slot): boolean => this.#buffers.has(label);

  /** The buffer of a slot that `reserve` was given. It is another function once any buffer is another. */
  bufferOf = lookUp(this.#buffers);

  /** Frees all buffers. */
  release(): void {
    for (const buffer of this.#buffers.values()) this.memory.free(buffer);
    this.#buffers.clear();
  }
}

const lookUp =
  (buffers: ReadonlyMap<string, GPUBuffer>) =>
  ({ label }: Slot): GPUBuffer => {
    const buffer = buffers.get(label);
    if (!buffer) throw new TypeError(`no buffer was reserved for slot '${label}'`);
    return buffer;
  };
