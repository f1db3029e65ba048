import type { Gpu } from './device';

/**
 * The same device, but nothing is allocated and nothing computed. What runs on it asks for the same buffers as on the device itself, so GpuMemory
 * counts what it would need there, and refuses what that would refuse.
 */
export function counting(gpu: Gpu): Gpu {
  const nothing = () => {};
  const later = async () => {};
  const pass = { setPipeline: nothing, setBindGroup: nothing, dispatchWorkgroups: nothing, end: nothing };
  const commands = { beginComputePass: () => pass, copyBufferToBuffer: nothing, finish: nothing };
  const device = {
    createBuffer: ({ size }: GPUBufferDescriptor) => ({
      size,
      destroy: nothing,
      unmap: nothing,
      mapAsync: later,
      getMappedRange: (_: number, bytes: number) => new ArrayBuffer(bytes),
    }),
    createCommandEncoder: () => commands,
    queue: { writeBuffer: nothing, submit: nothing, onSubmittedWorkDone: later },
    pushErrorScope: nothing,
    popErrorScope: later,
  };
  return { ...gpu, device: device as unknown as GPUDevice };
}
