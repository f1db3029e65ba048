import { ModelFileError } from '../api/errors';
import type { Dtype } from '../api/types';
import { checkElements, convertElements, isFloatDtype } from '../formats/float';
import { isQuantized, type QuantizedDtype } from '../formats/quantize';
import type { TensorInfo } from '../formats/safetensors';
import type { Gpu } from '../gpu/device';
import { settled } from '../gpu/firefox';

/** Where a tensor goes on the GPU: a matrix [rows, columns] (a vector is one column) into padded rows of one buffer, or of several pieces. */
export interface Placement {
  shape: number[];
  dtype: Dtype;
  /** Elements per row on the GPU; columns, if the matrix is quantised. */
  stride: number;
  /** In ascending order of first row. */
  pieces: { buffer: GPUBuffer; firstRow: number }[];
  rowAt?: (row: number) => number;
  columnAt?: (column: number) => number;
}

/** What a placed tensor is quantised to. */
export const quantizedDtype = (place: Placement | undefined): QuantizedDtype | undefined =>
  place && isQuantized(place.dtype) ? place.dtype : undefined;

/** Elements converted at a time. With the source's chunk this is all that loading holds in JavaScript. */
const BLOCK_ELEMENTS = 1 << 20;
/** Bytes written to the queue before waiting for it, so that a fast disk does not fill the browser's upload memory. */
const QUEUE_BYTES = 32 << 20;

/** dtype and shape of a quantised tensor in the file; its scales are a separate tensor. */
const storedAs = ({ shape: [n, k], dtype }: Placement) =>
  dtype === 'q8' ? { dtype: 'I8', shape: [n, k] } : { dtype: 'U8', shape: [n, k / 2] };

/** Checks a tensor of the file against its place. */
export function checkTensor(tensor: TensorInfo, place: Placement, file: string): void {
  const stored = isQuantized(place.dtype) ? storedAs(place) : undefined;
  if (stored ? tensor.dtype !== stored.dtype : !isFloatDtype(tensor.dtype)) {
    throw new ModelFileError(
      `${file}: tensor '${tensor.name}' has dtype ${tensor.dtype}; expected ${stored ? `${stored.dtype} for ${place.dtype} weights` : 'F32, F16 or BF16'}.`,
    );
  }
  const { shape } = stored ?? place;
  if (tensor.shape.join() !== shape.join()) {
    throw new ModelFileError(
      `${file}: tensor '${tensor.name}' has shape [${tensor.shape}]; by config.json it must be [${shape}].`,
    );
  }
}

type Block = Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/**
 * Takes tensors chunk by chunk, each tensor's bytes in order; converts, pads and permutes them, and writes them to the GPU. Throws
 * ModelFileError for NaN, infinities, and values that f16 cannot hold.
 */
export function createUploader(gpu: Gpu, file: string) {
  const { queue } = gpu.device;
  let current = '';
  let gathered: Block | undefined;
  let filled = 0; // elements of the block
  let row = 0; // the block's first
  let queued = 0;

  /** Writes `rows` rows of `data`, starting at row `at`, to consecutive rows on the GPU, starting at row `to`. */
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

  /** Pads whole rows and writes them, in runs that are consecutive on the GPU. */
  function writeRows(place: Placement, rows: number, columns: number, unpadded: Block): void {
    const data = padRows(unpadded, rows, columns, place);
    const stride = data instanceof Uint8Array ? columns : place.stride;
    const rowAt = place.rowAt ?? ((r: number) => r);
    for (let start = 0; start < rows; ) {
      let end = start + 1;
      while (end < rows && rowAt(row + end) === rowAt(row + start) + end - start) end++;
      write(place, data, stride, rowAt(row + start), end - start, start);
      start = end;
    }
    row += rows;
  }

  /** Appends elements to the block, and writes it when it is full or the tensor ends. */
  function gather(tensor: TensorInfo, bytes: Uint8Array, place: Placement, columns: number, total: number): void {
    const { dtype, name } = tensor;
    const size = tensorBytes(tensor) / total;
    gathered ??= blockFor(place, total / columns, columns);
    const block = gathered;
    for (let at = 0; at < bytes.length; ) {
      const count = Math.min((bytes.length - at) / size, block.length - filled);
      const part = bytes.subarray(at, at + count * size);
      if (block instanceof Uint8Array) block.set(part, filled);
      else if (isFloatDtype(dtype)) {
        convertElements({ file, tensor: name, index: row * columns + filled }, part, dtype, block, filled);
      }
      filled += count;
      at += part.length;
      if (filled === block.length || row * columns + filled === total) {
        writeRows(place, filled / columns, columns, block);
        filled = 0;
      }
    }
  }

  return {
    async chunk(tensor: TensorInfo, bytes: Uint8Array<ArrayBuffer>, place: Placement): Promise<void> {
      const { name, dtype, shape } = tensor;
      const columns = shape.length === 1 ? 1 : shape[shape.length - 1];
      const total = shape.reduce((a, b) => a * b, 1);
      if (name !== current) {
        current = name;
        gathered = undefined;
        filled = 0;
        row = 0;
      }
      const isWhole = filled === 0 && bytes.length % ((tensorBytes(tensor) / total) * columns) === 0;
      const stored = isWhole ? asStored(dtype, place, bytes) : undefined;
      if (stored) {
        if (dtype === 'F32' || dtype === 'F16') {
          checkElements({ file, tensor: name, index: row * columns }, bytes, dtype);
        }
        writeRows(place, stored.length / columns, columns, stored);
      } else gather(tensor, bytes, place, columns, total);
      if (queued > QUEUE_BYTES) {
        queued = 0;
        await settled(queue, queue.onSubmittedWorkDone());
      }
    },
  };
}

const tensorBytes = ({ begin, end }: TensorInfo): number => end - begin;

function blockFor({ dtype }: Placement, rows: number, columns: number): Block {
  const length = Math.min(rows, Math.max(1, Math.floor(BLOCK_ELEMENTS / columns))) * columns;
  if (isQuantized(dtype)) return new Uint8Array(length);
  return dtype === 'f16' ? new Uint16Array(length) : new Float32Array(length);
}

/** The bytes themselves if no conversion is needed, as for everything that comes from the cache: one copy less. */
function asStored(
  dtype: string,
  place: Placement,
  { buffer, byteOffset, length }: Uint8Array<ArrayBuffer>,
): Block | undefined {
  if (isQuantized(place.dtype)) return new Uint8Array(buffer, byteOffset, length);
  if (dtype === 'F16' && place.dtype === 'f16') return new Uint16Array(buffer, byteOffset, length / 2);
  return dtype === 'F32' && place.dtype === 'f32' ? new Float32Array(buffer, byteOffset, length / 4) : undefined;
}

/** The rows with the GPU's stride; the block itself if nothing is padded or moved. */
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
