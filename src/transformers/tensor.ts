/** Values of a tensor: Int8Array ('binary') or Uint8Array ('ubinary') of quantised embeddings, else Float32Array. */
export type TensorData = Float32Array | Int8Array | Uint8Array;

const TYPES = { Float32Array: 'float32', Int8Array: 'int8', Uint8Array: 'uint8' } as const;

/** A list of numbers, or of such lists. */
export type NestedList = (number | NestedList)[];

/**
 * What feature-extraction returns: transformers.js' Tensor without its arithmetic. `tensor[i]` and a loop give the rows, as views. For its other
 * methods make one of theirs: `new Tensor(t.type, t.data, t.dims)`.
 */
export class Tensor {
  /** Row i of the first dimension; from the end, if it is negative. */
  readonly [row: number]: Tensor;
  readonly data: TensorData;
  readonly dims: number[];
  readonly location = 'cpu';

  /** `data`: row-major, as many values as the product of `dims`. */
  constructor(data: TensorData, dims: number[]) {
    this.data = data;
    this.dims = dims;
    // biome-ignore lint/correctness/noConstructorReturn: without a proxy there are no indices
    return new Proxy(this, {
      get: (tensor, key) =>
        typeof key === 'string' && /^-?\d+$/.test(key) ? rowOf(tensor, Number(key)) : Reflect.get(tensor, key),
    });
  }

  get type(): 'float32' | 'int8' | 'uint8' {
    return TYPES[this.data.constructor.name as keyof typeof TYPES];
  }

  get size(): number {
    return this.data.length;
  }

  /** The values as lists, one within another for each dimension. */
  tolist(): NestedList {
    return this.dims.length > 1 ? rowsOf(this).map((row) => row.tolist()) : Array.from(this.data);
  }

  /** Does nothing: the values are ordinary memory. */
  dispose(): void {}

  /** The rows; of a tensor with one dimension, the numbers. */
  [Symbol.iterator](): Iterator<Tensor | number> {
    return this.dims.length > 1 ? rowsOf(this).values() : this.data.values();
  }
}

function rowOf({ data, dims: [rows, ...dims] }: Tensor, index: number): Tensor {
  const i = index < 0 ? index + rows : index;
  if (!(i >= 0 && i < rows)) {
    throw new RangeError(`The tensor's first dimension is ${rows}: there is no row ${index}.`);
  }
  const size = data.length / rows;
  return new Tensor(data.subarray(i * size, (i + 1) * size), dims);
}

const rowsOf = (tensor: Tensor): Tensor[] => Array.from({ length: tensor.dims[0] }, (_, i) => rowOf(tensor, i));
