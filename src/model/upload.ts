import type { Dtype } from '../api';
import { ModelFileError } from '../errors';
import { convertChunk, type FloatDtype, isFloatDtype } from '../files/dtype';
import type { TensorInfo } from '../files/safetensors';
import type { Gpu } from '../gpu/device';
import { bytesOf } from '../kernels/precision';

/** Where a tensor goes: a matrix [rows, columns] (a vector is one row) into padded rows of one buffer or of several pieces. */
export interface Placement {
  shape: number[];
  dtype: Dtype;
  /** Elements of a row on the GPU. */
  stride: number;
  /** Pieces by ascending first row. */
  pieces: { buffer: GPUBuffer; firstRow: number }[];
  rowAt?: (row: number) => number;
  columnAt?: (column: number) => number;
}

/** Elements converted before they go to the GPU; with the source chunk all that loading holds in JavaScript. */
const BLOCK_ELEMENTS = 1 << 20;
/** Bytes handed to the queue before waiting for it, so that a fast disk does not fill the browser's upload memory. */
const QUEUE_BYTES = 32 << 20;

/** Checks a tensor of the file against its place. */
export function checkTensor(tensor: TensorInfo, { shape }: Placement, file: string): void {
  if (!isFloatDtype(tensor.dtype)) {
    throw new ModelFileError(`${file}: tensor '${tensor.name}' has dtype ${tensor.dtype}; F32, F16 and BF16 are read.`);
  }
  if (tensor.shape.join() !== shape.join()) {
    throw new ModelFileError(
      `${file}: tensor '${tensor.name}' has shape [${tensor.shape}], config.json makes it [${shape}].`,
    );
  }
}

/**
 * Takes tensors chunk by chunk, converts, pads and permutes them, and writes them to the GPU. `chunk` wants each tensor's bytes in
 * order. Throws ModelFileError for NaN, infinities, and values that f16 cannot hold.
 */
export function createUploader(gpu: Gpu, file: string) {
  const { queue } = gpu.device;
  let current = '';
  let block: Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> = new Float32Array(0);
  let filled = 0; // elements of the block
  let row = 0; // of the block's first
  let queued = 0;

  function write(place: Placement, data: typeof block, firstRow: number, rows: number, at: number): void {
    const rowBytes = place.stride * bytesOf(place.dtype);
    let done = 0;
    while (done < rows) {
      const to = firstRow + done;
      const index = place.pieces.findLastIndex((piece) => piece.firstRow <= to);
      const next = place.pieces[index + 1]?.firstRow ?? Infinity;
      const count = Math.min(rows - done, next - to);
      const { buffer, firstRow: base } = place.pieces[index];
      queue.writeBuffer(buffer, (to - base) * rowBytes, data, (at + done) * place.stride, count * place.stride);
      queued += count * rowBytes;
      done += count;
    }
  }

  /** Writes the block's whole rows, in runs that stay together on the GPU. */
  function flush(place: Placement, columns: number): void {
    const rows = filled / columns;
    const data = padRows(block, rows, columns, place);
    const rowAt = place.rowAt ?? ((r: number) => r);
    for (let start = 0; start < rows; ) {
      let end = start + 1;
      while (end < rows && rowAt(row + end) === rowAt(row + start) + end - start) end++;
      write(place, data, rowAt(row + start), end - start, start);
      start = end;
    }
    row += rows;
    filled = 0;
  }

  return {
    async chunk(tensor: TensorInfo, bytes: Uint8Array<ArrayBuffer>, place: Placement): Promise<void> {
      const columns = place.shape[place.shape.length - 1];
      const dtype = tensor.dtype as FloatDtype;
      const size = dtype === 'F32' ? 4 : 2;
      if (tensor.name !== current) {
        current = tensor.name;
        const rows = place.shape.length === 1 ? 1 : place.shape[0];
        const length = Math.min(rows, Math.max(1, Math.floor(BLOCK_ELEMENTS / columns))) * columns;
        block = place.dtype === 'f16' ? new Uint16Array(length) : new Float32Array(length);
        filled = 0;
        row = 0;
      }
      for (let at = 0; at < bytes.length; ) {
        const count = Math.min((bytes.length - at) / size, block.length - filled);
        const found = convertChunk(bytes.subarray(at, at + count * size), dtype, block, filled);
        const bad = Math.max(found.nonFinite, found.overflow);
        if (bad >= 0) {
          const index = row * columns + filled + bad;
          throw new ModelFileError(
            found.nonFinite >= 0
              ? `${file}: tensor '${tensor.name}' holds a NaN or an infinity at element ${index}; the checkpoint is broken.`
              : `${file}: tensor '${tensor.name}' holds a value at element ${index} that f16 cannot hold (above 65504). Load it with dtype: 'f32'.`,
          );
        }
        filled += count;
        at += count * size;
        const total = place.shape.reduce((a, b) => a * b, 1);
        if (filled === block.length || row * columns + filled === total) flush(place, columns);
      }
      if (queued > QUEUE_BYTES) {
        queued = 0;
        await queue.onSubmittedWorkDone();
      }
    },
  };
}

/** The rows with the GPU's stride: as they are where nothing is padded or moved. */
function padRows<T extends Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>>(
  block: T,
  rows: number,
  columns: number,
  { stride, columnAt }: Placement,
): T {
  if (stride === columns && !columnAt) return block;
  const padded = (block instanceof Uint16Array ? new Uint16Array(rows * stride) : new Float32Array(rows * stride)) as T;
  for (let r = 0; r < rows; r++) {
    if (columnAt) {
      for (let c = 0; c < columns; c++) padded[r * stride + columnAt(c)] = block[r * columns + c];
    } else {
      padded.set(block.subarray(r * columns, (r + 1) * columns), r * stride);
    }
  }
  return padded;
}
