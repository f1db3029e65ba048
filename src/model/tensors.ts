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
  /** Whether it is RMSNorm. */
  rms?: boolean;
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

/** Names of all tensors in a checkpoint's files. */
export interface TensorNames extends ReadonlySet<string> {
  /** Whether these are files of q4 whose tables are q8: version 1 of the format. */
  haveQ8Tables?: boolean;
}

/** Tensors of the file by their names, with their rows. */
type Parts = { name: string; rows: number }[];

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
  spelling?: (name: string, part: 'weight' | 'bias') => string;
  /** Layers of the file whose rows, one after the other, are this one's. Default: NAME alone. */
  parts?: Parts;
}

/** Declares the tensors that a model reads: each call allocates what goes to the GPU and notes where the file's tensor goes. */
export type Tensors = ReturnType<typeof declareTensors>;

export interface TensorOptions {
  /** Allocates a zeroed buffer of weights. */
  alloc(label: string, bytes: number): GPUBuffer;
  /** Largest buffer that can be bound, in bytes. */
  maxBindingSize: number;
  dtype: Dtype;
  names: TensorNames;
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

  /** Allocates a vector of `size` numbers; those of the file's tensors, one after the other, go there. */
  function vector(parts: Parts, size: number, rowAt = same): GPUBuffer {
    const buffer = allocate(parts[0].name, size * 4);
    const pieces = [{ buffer, firstRow: 0 }];
    for (const { name, first, rows } of placed(parts)) {
      const place = (row: number) => rowAt(first + row);
      places.set(prefix + name, { shape: [rows], dtype: 'f32', stride: 1, pieces, rowAt: place });
    }
    return buffer;
  }

  /**
   * Allocates a matrix [n, k] in pieces of at most `mostBytes`; the rows of the file's tensors, one after the other, go there. What cannot be
   * quantised is f16.
   */
  function matrix(
    parts: Parts,
    columns: number,
    [n, k]: [number, number],
    wanted: Dtype,
    mostBytes: number,
    { rowAt, columnAt }: Pick<Placement, 'rowAt' | 'columnAt'>,
  ): Table {
    const isWhole = columns % K_STEP === 0 && !columnAt;
    const dtype = isQuantized(wanted) && !isWhole ? 'f16' : wanted;
    const most = Math.floor(mostBytes / weightBytes(k, dtype) / 128) * 128;
    const pieces: Table['pieces'] = [];
    for (let firstRow = 0; firstRow < n; firstRow += most) {
      const rows = Math.min(most, n - firstRow);
      const label = `${parts[0].name} ${firstRow}`;
      const weight = allocate(label, weightBytes(rows * k, dtype));
      const scales = isQuantized(dtype) ? allocate(`${label} scales`, (rows * k * 2) / GROUP) : undefined;
      pieces.push({ weight, scales, firstRow, rows });
    }
    const placesOf = (buffer: (piece: Table['pieces'][number]) => GPUBuffer) =>
      pieces.map((piece) => ({ buffer: buffer(piece), firstRow: piece.firstRow }));
    const [weights, scales] = [placesOf(({ weight }) => weight), placesOf((piece) => piece.scales!)];
    for (const { name, first, rows } of placed(parts)) {
      const move = { rowAt: first > 0 || rowAt ? (row: number) => (rowAt ?? same)(first + row) : undefined, columnAt };
      places.set(prefix + name, { shape: [rows, columns], dtype, stride: k, pieces: weights, ...move });
      if (isQuantized(dtype)) {
        const stride = k / GROUP;
        const shape = [rows, stride];
        places.set(`${prefix}${name}.scales`, { shape, dtype: 'f16', stride, pieces: scales, ...move });
      }
    }
    return { dtype, pieces, columns: k };
  }

  return {
    places,
    has: (name: string): boolean => names.has(prefix + name),

    /** LayerNorm over `size` columns; without a bias in the file it adds zeros. Files from TensorFlow call its weight gamma, its bias beta. */
    norm(name: string, size: number, eps: number, hasBias: boolean): Norm {
      const stride = paddedWidth(size);
      const [gamma, beta] = names.has(`${prefix}${name}.gamma`) ? ['gamma', 'beta'] : ['weight', 'bias'];
      const weight = vector([{ name: `${name}.${gamma}`, rows: size }], stride);
      if (hasBias) return { weight, bias: vector([{ name: `${name}.${beta}`, rows: size }], stride), eps };
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
        parts = [{ name, rows }],
        spelling = (of: string, part: string) => `${of}.${part}`,
      } = options;
      const wanted = precise ? 'f32' : isQuantized(dtype) && !quantized ? 'f16' : dtype;
      const spelled = (part: 'weight' | 'bias') => parts.map((each) => ({ ...each, name: spelling(each.name, part) }));
      const move = { rowAt, columnAt };
      const { dtype: stored, pieces } = matrix(spelled('weight'), columns, [n, k], wanted, Infinity, move);
      const [{ weight, scales }] = pieces;
      const biasBuffer = bias ? vector(spelled('bias'), n, rowAt) : undefined;
      return { dtype: stored, weight, scales, bias: biasBuffer, n, k, useful: rows * columns };
    },

    /** A table NAME [rows, columns] of embeddings, its rows padded to a multiple of 8. */
    table(name: string, shape: [number, number]): Table {
      const [rows, columns] = shape;
      const size: [number, number] = [roundUp(rows, 8), paddedWidth(columns)];
      return matrix(
        [{ name, rows }],
        columns,
        size,
        dtype === 'q4' && names.haveQ8Tables ? 'q8' : dtype,
        maxBindingSize,
        {},
      );
    },

    /** A small table NAME [rows, columns], f32 in every checkpoint. */
    smallTable(name: string, [rows, columns]: [number, number]): GPUBuffer {
      const size: [number, number] = [rows, paddedWidth(columns)];
      return matrix([{ name, rows }], columns, size, 'f32', Infinity, {}).pieces[0].weight;
    },

    /** f32 [size], padded with zeros to a multiple of 8. */
    vector: (name: string, size: number): GPUBuffer => vector([{ name, rows: size }], roundUp(size, 8)),
  };
}

const same = (row: number): number => row;

/** With the row at which each begins. */
function placed(parts: Parts): (Parts[number] & { first: number })[] {
  let next = 0;
  return parts.map(({ name, rows }) => {
    const first = next;
    next += rows;
    return { name, rows, first };
  });
}
