import type { Dtype } from '../api/types';
import { GROUP, isQuantized, K_STEP } from '../formats/quantize';
import { paddedWidth } from '../kernels/layout';
import type { Part } from '../kernels/step';
import { roundUp, weightBytes } from '../kernels/storage';
import type { Placement } from './upload';

/** LayerNorm's weight and bias, f32 [hidden]. */
export interface Norm {
  weight: GPUBuffer;
  bias: GPUBuffer;
  eps: number;
}

/** out = x · weightᵀ + bias: [n, k] on the GPU, padded. */
export interface Linear {
  dtype: Dtype;
  weight: GPUBuffer | Part<unknown>;
  /** Of quantised weights. */
  scales: GPUBuffer | Part<unknown> | undefined;
  bias: GPUBuffer | Part<unknown> | undefined;
  n: number;
  k: number;
  /** Multiplications per row that count: rows times columns in the file. */
  useful: number;
}

/** A table [rows, columns] in pieces that each fit a binding. */
export interface Table {
  dtype: Dtype;
  pieces: { weight: GPUBuffer; scales: GPUBuffer | undefined; firstRow: number; rows: number }[];
  columns: number;
}

export interface LinearOptions {
  bias?: boolean;
  /** Rows on the GPU; by default the file's, padded. */
  n?: number;
  /** Columns on the GPU; by default the file's, padded. */
  k?: number;
  rowAt?: (row: number) => number;
  columnAt?: (column: number) => number;
  /** Whether a quantised checkpoint has it quantised. Heads are f16 there. Default true. */
  quantized?: boolean;
  /** Whether it is f32 in every checkpoint. Default false. */
  precise?: boolean;
  /** The names of the weight and the bias. Default NAME.weight and NAME.bias. */
  spelling?: (part: 'weight' | 'bias') => string;
}

/** Declares the tensors that a model reads: each call allocates what goes to the GPU and notes where the file's tensor goes. */
export type Tensors = ReturnType<typeof declareTensors>;

export interface TensorOptions {
  /** Allocates a zeroed buffer of weights. */
  alloc(label: string, bytes: number): GPUBuffer;
  /** Largest buffer that can be bound, in bytes. */
  maxBindingSize: number;
  dtype: Dtype;
  /** Names of all tensors in the checkpoint's files. */
  names: ReadonlySet<string>;
  /** What stands before the names in messages and buffer labels: a module's folder. */
  folder?: string;
  /** What stands before the names in the file: of an encoder that is a part of another model. */
  prefix?: string;
}

export function declareTensors({ alloc, maxBindingSize, dtype, names, folder = '', prefix = '' }: TensorOptions) {
  const places = new Map<string, Placement>();
  const allocate = (name: string, bytes: number) => alloc(folder ? `${folder}/${name}` : name, bytes);
  /** Buffers of zeros by their size: norms without a bias add one. */
  const zeros = new Map<number, GPUBuffer>();

  function vector(name: string, size: number, stride: number, rowAt?: (row: number) => number): GPUBuffer {
    const buffer = allocate(name, stride * 4);
    places.set(prefix + name, {
      shape: [size],
      dtype: 'f32',
      stride,
      pieces: [{ buffer, firstRow: 0 }],
      columnAt: rowAt,
    });
    return buffer;
  }

  /** Allocates a matrix [n, k] in pieces of at most `most` rows; the file's `shape` goes there. What cannot be quantised is f16. */
  function matrix(
    name: string,
    shape: [number, number],
    [n, k]: [number, number],
    wanted: Dtype,
    mostBytes: number,
    move: Pick<Placement, 'rowAt' | 'columnAt'>,
  ): Table {
    const isWhole = shape[1] % K_STEP === 0 && !move.columnAt;
    const dtype = isQuantized(wanted) && !isWhole ? 'f16' : wanted;
    const most = Math.floor(mostBytes / weightBytes(k, dtype) / 128) * 128;
    const pieces: Table['pieces'] = [];
    for (let firstRow = 0; firstRow < n; firstRow += most) {
      const rows = Math.min(most, n - firstRow);
      const label = `${name} ${firstRow}`;
      const weight = allocate(label, weightBytes(rows * k, dtype));
      const scales = isQuantized(dtype) ? allocate(`${label} scales`, (rows * k * 2) / GROUP) : undefined;
      pieces.push({ weight, scales, firstRow, rows });
    }
    const placesOf = (buffer: (piece: Table['pieces'][number]) => GPUBuffer) =>
      pieces.map((piece) => ({ buffer: buffer(piece), firstRow: piece.firstRow }));
    places.set(prefix + name, { shape, dtype, stride: k, pieces: placesOf(({ weight }) => weight), ...move });
    if (isQuantized(dtype)) {
      const stride = k / GROUP;
      const scales = placesOf((piece) => piece.scales!);
      places.set(`${prefix}${name}.scales`, {
        shape: [shape[0], stride],
        dtype: 'f16',
        stride,
        pieces: scales,
        ...move,
      });
    }
    return { dtype, pieces, columns: k };
  }

  return {
    places,
    has: (name: string): boolean => names.has(prefix + name),

    /** LayerNorm over `size` columns; without a bias in the file it adds zeros. */
    norm(name: string, size: number, eps: number, hasBias: boolean): Norm {
      const stride = paddedWidth(size);
      const weight = vector(`${name}.weight`, size, stride);
      if (hasBias) return { weight, bias: vector(`${name}.bias`, size, stride), eps };
      const bias = zeros.get(stride) ?? allocate('zero bias', stride * 4);
      zeros.set(stride, bias);
      return { weight, bias, eps };
    },

    /** NAME.weight [rows, columns], with NAME.bias [rows] if it has one. */
    linear(name: string, shape: [number, number], options: LinearOptions = {}): Linear {
      const [rows, columns] = shape;
      const {
        bias = false,
        n = paddedWidth(rows),
        k = paddedWidth(columns),
        rowAt,
        columnAt,
        quantized = true,
        precise = false,
        spelling = (part: string) => `${name}.${part}`,
      } = options;
      const wanted = precise ? 'f32' : isQuantized(dtype) && !quantized ? 'f16' : dtype;
      const move = { rowAt, columnAt };
      const { dtype: stored, pieces } = matrix(spelling('weight'), shape, [n, k], wanted, Infinity, move);
      const [{ weight, scales }] = pieces;
      const biasBuffer = bias ? vector(spelling('bias'), rows, n, rowAt) : undefined;
      return { dtype: stored, weight, scales, bias: biasBuffer, n, k, useful: rows * columns };
    },

    /** A table NAME [rows, columns] of embeddings, at least q8, its rows padded to a multiple of 8. */
    table(name: string, shape: [number, number]): Table {
      const [rows, columns] = shape;
      const size: [number, number] = [roundUp(rows, 8), paddedWidth(columns)];
      return matrix(name, shape, size, dtype === 'q4' ? 'q8' : dtype, maxBindingSize, {});
    },

    /** f32 [size], padded with zeros to a multiple of 8. */
    vector: (name: string, size: number): GPUBuffer => vector(name, size, roundUp(size, 8)),
  };
}
