import type { Dtype } from '../api';
import { ModelFileError } from '../errors';
import { convertElements, isFloatDtype } from '../files/dtype';
import { isQuantized } from '../files/quantize';
import type { TensorInfo } from '../files/safetensors';
import type { Gpu } from '../gpu/device';

/** Where a tensor goes: a matrix [rows, columns] (a vector is one row) into padded rows of one buffer or of several pieces. */
export interface Placement {
  shape: number[];
  dtype: Dtype;
  /** Elements of a row on the GPU; the columns of a quantised matrix. */
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

/** dtype and shape of a quantised tensor in the file, which has its scales in a tensor of their own. */
const storedAs = ({ shape: [n, k], dtype }: Placement) =>
  dtype === 'q8' ? { dtype: 'I8', shape: [n, k] } : { dtype: 'U8', shape: [n, k / 2] };

/** Checks a tensor of the file against its place. */
export function checkTensor(tensor: TensorInfo, place: Placement, file: string): void {
  const stored = isQuantized(place.dtype) ? storedAs(place) : undefined;
  if (stored ? tensor.dtype !== stored.dtype : !isFloatDtype(tensor.dtype)) {
    throw new ModelFileError(
      `${file}: tensor '${tensor.name}' has dtype ${tensor.dtype}; ${stored ? `as ${place.dtype}, ${stored.dtype} is` : 'F32, F16 and BF16 are'} read.`,
    );
  }
  const { shape } = stored ?? place;
  if (tensor.shape.join() !== shape.join()) {
    throw new ModelFileError(
      `${file}: tensor '${tensor.name}' has shape [${tensor.shape}], config.json makes it [${shape}].`,
    );
  }
}

type Block = Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/**
 * Takes tensors chunk by chunk, converts, pads and permutes them, and writes them to the GPU. `chunk` wants each tensor's bytes
 * in order. Throws ModelFileError for NaN, infinities, and values that f16 cannot hold.
 */
export function createUploader(gpu: Gpu, file: string) {
  const { queue } = gpu.device;
  let current = '';
  let block: Block = new Float32Array(0);
  let filled = 0; // elements of the block
  let row = 0; // of the block's first
  let queued = 0;

  /** Writes `rows` rows from row `at` of `data` on, which are neighbours on the GPU from row `to` on. */
  function write(place: Placement, data: Block, stride: number, to: number, rows: number, at: number) {
    const rowBytes = stride * data.BYTES_PER_ELEMENT;
    for (let done = 0; done < rows; ) {
      const first = to + done;
      const index = place.pieces.findLastIndex((piece) => piece.firstRow <= first);
      const next = place.pieces[index + 1]?.firstRow ?? Infinity;
      const count = Math.min(rows - done, next - first);
      const { buffer, firstRow } = place.pieces[index];
      queue.writeBuffer(buffer, (first - firstRow) * rowBytes, data, (at + done) * stride, count * stride);
      queued += count * rowBytes;
      done += count;
    }
  }

  /** Writes the block's whole rows, in runs that stay together on the GPU. */
  function flush(place: Placement, columns: number): void {
    const rows = filled / columns;
    const data = padRows(block, rows, columns, place);
    const stride = data instanceof Uint8Array ? columns : place.stride;
    const rowAt = place.rowAt ?? ((r: number) => r);
    for (let start = 0; start < rows; ) {
      let end = start + 1;
      while (end < rows && rowAt(row + end) === rowAt(row + start) + end - start) end++;
      write(place, data, stride, rowAt(row + start), end - start, start);
      start = end;
    }
    row += rows;
    filled = 0;
  }

  /** Puts the elements in `bytes` behind those of the block. */
  function fill({ dtype, name }: TensorInfo, bytes: Uint8Array, columns: number): void {
    if (block instanceof Uint8Array) block.set(bytes, filled);
    else if (isFloatDtype(dtype)) {
      convertElements({ file, tensor: name, index: row * columns + filled }, bytes, dtype, block, filled);
    }
  }

  return {
    async chunk(tensor: TensorInfo, bytes: Uint8Array<ArrayBuffer>, place: Placement): Promise<void> {
      const { name, shape, begin, end } = tensor;
      const columns = shape[shape.length - 1];
      const total = shape.reduce((a, b) => a * b, 1);
      const size = (end - begin) / total;
      if (name !== current) {
        current = name;
        const rows = total / columns;
        const length = Math.min(rows, Math.max(1, Math.floor(BLOCK_ELEMENTS / columns))) * columns;
        if (isQuantized(place.dtype)) block = new Uint8Array(length);
        else block = place.dtype === 'f16' ? new Uint16Array(length) : new Float32Array(length);
        filled = 0;
        row = 0;
      }
      for (let at = 0; at < bytes.length; ) {
        const count = Math.min((bytes.length - at) / size, block.length - filled);
        fill(tensor, bytes.subarray(at, at + count * size), columns);
        filled += count;
        at += count * size;
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
function padRows(block: Block, rows: number, columns: number, { stride, columnAt }: Placement): Block {
  if (block instanceof Uint8Array || (stride === columns && !columnAt)) return block;
  const padded = block instanceof Uint16Array ? new Uint16Array(rows * stride) : new Float32Array(rows * stride);
  for (let r = 0; r < rows; r++) {
    if (columnAt) {
      for (let c = 0; c < columns; c++) padded[r * stride + columnAt(c)] = block[r * columns + c];
    } else {
      padded.set(block.subarray(r * columns, (r + 1) * columns), r * stride);
    }
  }
  return padded;
}
