/** For tests: upload, run one dispatch, read back. */
import { f16ToF32, f32ToF16 } from '../formats/float';
import { COPY_DST, COPY_SRC, MAP_READ, STORAGE } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import type { Dispatch } from '../gpu/kernel';
import { Submission } from '../gpu/submission';

export type Storage = 'f32' | 'f16';

/** A storage buffer that holds these words. */
export function uploadWords(gpu: Gpu, words: Uint32Array<ArrayBuffer>): GPUBuffer {
  const size = Math.max(16, Math.ceil(words.byteLength / 16) * 16);
  const buffer = gpu.device.createBuffer({ size, usage: STORAGE | COPY_SRC | COPY_DST });
  gpu.device.queue.writeBuffer(buffer, 0, words);
  return buffer;
}

/** A storage buffer that holds these numbers as f32, or as pairs of f16. */
export function upload(gpu: Gpu, values: Float32Array<ArrayBuffer>, storage: Storage = 'f32'): GPUBuffer {
  if (storage === 'f32') return uploadWords(gpu, new Uint32Array(values.buffer, values.byteOffset, values.length));
  const halves = Uint16Array.from({ length: Math.ceil(values.length / 2) * 2 }, (_, i) => f32ToF16(values[i] ?? 0));
  return uploadWords(gpu, new Uint32Array(halves.buffer));
}

/** A storage buffer of `count` NaNs, so that numbers that a kernel fails to write show up. */
export const blank = (gpu: Gpu, count: number, storage: Storage = 'f32'): GPUBuffer =>
  upload(gpu, new Float32Array(count).fill(NaN), storage);

/** Runs one dispatch and returns the first `count` numbers of `out`. Throws if WebGPU reports a validation error. */
export async function runDispatch(
  gpu: Gpu,
  dispatch: () => Dispatch,
  out: GPUBuffer,
  count: number,
  storage: Storage = 'f32',
): Promise<Float32Array<ArrayBuffer>> {
  gpu.device.pushErrorScope('validation');
  const bytes = Math.ceil((count * (storage === 'f16' ? 2 : 4)) / 4) * 4;
  const readback = gpu.device.createBuffer({ size: bytes, usage: COPY_DST | MAP_READ });
  const job = new Submission(gpu);
  job.dispatch(dispatch());
  job.copy(out, 0, readback, 0, bytes);
  const data = await job.read(readback, bytes);
  const error = await gpu.device.popErrorScope();
  if (error) throw new Error(error.message);
  if (storage === 'f32') return data;
  return Float32Array.from(new Uint16Array(data.buffer).subarray(0, count), f16ToF32);
}
