/** A copy of an index's vectors on the GPU. A file of its own in the built library, which only pages with many vectors fetch. */
import { COPY_DST, COPY_SRC, MAP_READ, STORAGE } from '../gpu/buffers';
import { findAdapter, type Gpu, guarded, openDevice } from '../gpu/device';
import { bind, createKernel, type Kernel } from '../gpu/kernel';
import { isSoftware } from '../gpu/profile';
import { Submission } from '../gpu/submission';
import { GROUP, groupMax, roundingOf, rowStride } from '../kernels/group_max';
import type { Bounds } from './spans';
import { BLOCK, type Row, type VectorTable } from './vector-table';

/** Bytes that are allocated at a time as the table grows; every device can bind them. */
const SEGMENT = 2 ** 25;
/** Of rounding to zero what is nearly zero, which some devices do. */
const TINY = 1e-30;
/** Sums of |q · v| from which on nothing is known of a group: group_max.wgsl's sign of numbers that are not finite. */
const UNKNOWN = 3e38;

interface Segment {
  rows: GPUBuffer;
  scales: GPUBuffer;
  allowed: GPUBuffer;
  /** [groups]: the largest score and the largest sum of |q · v|. */
  largest: GPUBuffer;
  bindGroup: GPUBindGroup;
}

/** A device of the high-performance adapter; undefined if that is software, unless `isAsked`. Throws what `findAdapter` and `openDevice` throw. */
export async function openSearchGpu(webgpu: GPU, isAsked: boolean): Promise<Gpu | undefined> {
  const adapter = await findAdapter(webgpu);
  return isSoftware(adapter.info) && !isAsked ? undefined : openDevice(adapter, { name: 'minimal' });
}

export class GpuRows {
  private readonly segments: Segment[] = [];
  private readonly query: GPUBuffer;
  private readback: GPUBuffer | undefined;
  /** The work under way: buffers and error scopes are for one at a time. */
  private last: Promise<unknown> = Promise.resolve();

  private constructor(
    readonly gpu: Gpu,
    private readonly vectors: VectorTable,
    private readonly kernel: Kernel,
    private readonly stride: number,
    /** Rows of a segment: whole blocks. */
    private readonly perSegment: number,
  ) {
    this.query = this.buffer('query', stride);
  }

  /** Throws an UnsupportedModelError if the kernel does not compile. The vectors are not copied yet. */
  static async open(gpu: Gpu, vectors: VectorTable): Promise<GpuRows> {
    const stride = rowStride(vectors.dim * vectors.data.BYTES_PER_ELEMENT);
    const kernel = await createKernel(gpu, groupMax(stride, vectors.precision !== 'float32'));
    return new GpuRows(gpu, vectors, kernel, stride, BLOCK * Math.max(1, Math.floor(SEGMENT / stride / BLOCK)));
  }

  /** Copies up to `most` of the blocks that have changed. Throws a RangeError if there is no memory for them, or a DeviceLostError. */
  copy(most: number): Promise<void> {
    return this.next(async (submitted) => {
      const { changed, count } = this.vectors;
      for (const block of [...changed].slice(0, most)) {
        changed.delete(block);
        if (block * BLOCK < count) this.copyBlock(block);
      }
      await submitted();
    });
  }

  /**
   * Between which numbers the largest score of each GROUP of rows lies, among the `allowed` ones. What has changed must have been copied; the answer
   * is of no use if something changes meanwhile. Throws a DeviceLostError or RangeError.
   */
  bounds(query: Row, allowed?: Uint8Array): Promise<Bounds> {
    return this.next(async () => {
      const { segments, gpu, perSegment, stride, vectors } = this;
      const count = Math.min(vectors.count, segments.length * perSegment); // there may be more rows meanwhile
      const groups = Math.ceil(count / GROUP);
      gpu.device.queue.writeBuffer(this.query, 0, padded(query, query.length, stride));
      const bits = allowedBits(count, allowed);
      const submission = new Submission(gpu);
      const readback = this.room(groups * 8);
      const each = perSegment / GROUP;
      for (let first = 0; first < groups; first += each) {
        const own = segments[first / each];
        const size = Math.min(each, groups - first);
        gpu.device.queue.writeBuffer(own.allowed, 0, bits, first, size);
        submission.dispatch({ kernel: this.kernel, bindGroup: own.bindGroup, workgroups: [size] });
        submission.copy(own.largest, 0, readback, first * 8, size * 8);
      }
      const largest = await submission.read(readback, groups * 8);
      const rounding = roundingOf(stride, vectors.precision !== 'float32');
      const [lower, upper] = [new Float64Array(groups), new Float64Array(groups)];
      for (let group = 0; group < groups; group++) {
        const size = largest[2 * group + 1];
        const error = size < UNKNOWN ? rounding * size + TINY : Infinity;
        lower[group] = largest[2 * group] - error;
        upper[group] = largest[2 * group] + error;
      }
      return { lower, upper };
    });
  }

  /** Ends the device, which frees its memory. */
  dispose(): void {
    this.gpu.device.destroy();
  }

  private next<T>(work: (submitted: () => Promise<void>) => Promise<T>): Promise<T> {
    const done = this.last.then(() => guarded(this.gpu, work));
    this.last = done.catch(() => {});
    return done;
  }

  private copyBlock(block: number): void {
    const { vectors, stride, perSegment, gpu } = this;
    const { data, scales, dim, count, precision } = vectors;
    const first = block * BLOCK;
    const end = Math.min(first + BLOCK, count);
    while (this.segments.length * perSegment <= first) this.segments.push(this.segment());
    const own = this.segments[Math.floor(first / perSegment)];
    const at = first % perSegment;
    gpu.device.queue.writeBuffer(own.rows, at * stride, padded(data.subarray(first * dim, end * dim), dim, stride));
    if (precision !== 'float32')
      gpu.device.queue.writeBuffer(own.scales, at * 4, scales as Float32Array<ArrayBuffer>, first, end - first);
  }

  private segment(): Segment {
    const { gpu, kernel, perSegment, stride, query } = this;
    const isInt8 = this.vectors.precision !== 'float32';
    const groups = perSegment / GROUP;
    const buffers = {
      rows: this.buffer('rows', perSegment * stride),
      scales: isInt8 ? this.buffer('scales', perSegment * 4) : gpu.none,
      allowed: this.buffer('allowed', groups * 4),
      largest: this.buffer('largest', groups * 8),
    };
    return { ...buffers, bindGroup: bind(gpu, kernel, { ...buffers, query }) };
  }

  /** A buffer to map with room for so many bytes. */
  private room(bytes: number): GPUBuffer {
    if (this.readback && this.readback.size >= bytes) return this.readback;
    this.readback?.destroy();
    this.readback = this.buffer('readback', 2 * bytes, MAP_READ | COPY_DST);
    return this.readback;
  }

  private buffer(label: string, size: number, usage = STORAGE | COPY_SRC | COPY_DST): GPUBuffer {
    return this.gpu.device.createBuffer({ label, size, usage });
  }
}

/** The bytes of rows of `dim` numbers, each padded to `stride` bytes. */
function padded(rows: Row, dim: number, stride: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(rows.buffer as ArrayBuffer, rows.byteOffset, rows.byteLength);
  const width = dim * rows.BYTES_PER_ELEMENT;
  if (width === stride) return bytes;
  const count = rows.length / dim;
  const wide = new Uint8Array(count * stride);
  for (let row = 0; row < count; row++) wide.set(bytes.subarray(row * width, (row + 1) * width), row * stride);
  return wide;
}

/** A word per group, a bit per row: those that there are, and of these the allowed ones. */
function allowedBits(count: number, allowed: Uint8Array | undefined): Uint32Array<ArrayBuffer> {
  const bits = new Uint32Array(Math.ceil(count / GROUP));
  if (!allowed) {
    bits.fill(0xffffffff);
    if (count % GROUP > 0) bits[bits.length - 1] = 2 ** (count % GROUP) - 1;
    return bits;
  }
  for (let row = 0; row < count; row++) if (allowed[row]) bits[row >> 5] |= 1 << (row & 31);
  return bits;
}
