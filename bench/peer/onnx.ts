// Writes ONNX graphs: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
import protobuf from 'protobufjs';
import { convertChunk } from '../../src/formats/float';
import { floats, type Tensor } from './tensors';

/** The messages and fields of onnx.proto that are used here. */
const SCHEMA = `syntax = "proto3";
  message Entry { string key = 1; string value = 2; }
  message Tensor {
    repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9; repeated Entry external_data = 13; int32 data_location = 14;
  }
  message Attribute { string name = 1; float f = 2; int64 i = 3; repeated int64 ints = 8; int32 type = 20; }
  message Node { repeated string input = 1; repeated string output = 2; string op_type = 4; repeated Attribute attribute = 5; string domain = 7; }
  message Dim { string dim_param = 2; }
  message Shape { repeated Dim dim = 1; }
  message TensorType { int32 elem_type = 1; Shape shape = 2; }
  message Type { TensorType tensor_type = 1; }
  message Value { string name = 1; Type type = 2; }
  message Graph { repeated Node node = 1; string name = 2; repeated Tensor initializer = 5; repeated Value input = 11; repeated Value output = 12; }
  message OperatorSet { string domain = 1; int64 version = 2; }
  message Model { int64 ir_version = 1; Graph graph = 7; repeated OperatorSet opset_import = 8; }`;
const MODEL = protobuf.parse(SCHEMA, { keepCase: true }).root.lookupType('Model');

export const FLOAT = 1;
const INT64 = 7;
const FLOAT16 = 10;
/** Types of attributes; `data_location` of a tensor. */
const [FLOAT_ATTRIBUTE, INT_ATTRIBUTE, INTS_ATTRIBUTE] = [1, 2, 7];
const EXTERNAL = 1;
/** Larger tensors are in the file beside the graph. */
const MOST_INLINE_BYTES = 1024;
const ALIGNMENT = 4096;

/** Operators of ONNX Runtime's own domain. */
const CONTRIBUTED = ['MultiHeadAttention', 'RotaryEmbedding', 'SkipLayerNormalization', 'Gelu', 'BiasGelu'];

export type Precision = 'f32' | 'f16';

/** A number is an integer, except that `epsilon` is a float. */
type Attributes = Record<string, number | number[]>;

const attributeOf = ([name, value]: [string, number | number[]]) => {
  if (typeof value !== 'number') return { name, ints: value, type: INTS_ATTRIBUTE };
  return name === 'epsilon' ? { name, f: value, type: FLOAT_ATTRIBUTE } : { name, i: value, type: INT_ATTRIBUTE };
};

/** A graph that takes `input_ids` and `attention_mask`, int64 [batch, length], and returns `sentence_embedding` in f32. */
export class OnnxGraph {
  readonly #nodes: object[] = [];
  readonly #tensors: { name: string; shape: number[]; type: number; data: Uint8Array }[] = [];

  constructor(readonly precision: Precision) {}

  /** The elements' type of the activations. */
  get type(): number {
    return this.precision === 'f16' ? FLOAT16 : FLOAT;
  }

  /** Adds an operator and returns the names of its outputs. An input of '' is left out. */
  ops(op_type: string, input: string[], outputs: number, attributes: Attributes = {}): string[] {
    const output = Array.from({ length: outputs }, (_, i) => `${op_type}_${this.#nodes.length}_${i}`);
    const attribute = Object.entries(attributes).map(attributeOf);
    const domain = CONTRIBUTED.includes(op_type) ? 'com.microsoft' : '';
    this.#nodes.push({ input, output, op_type, attribute, domain });
    return output;
  }

  /** Adds an operator with one output. */
  op(op_type: string, input: string[], attributes?: Attributes): string {
    return this.ops(op_type, input, 1, attributes)[0];
  }

  /** A constant in the precision of the activations, or in f32. */
  constant({ shape, data }: Tensor, type = this.type): string {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    if (type === FLOAT) return this.#add(shape, type, bytes);
    const halves = new Uint16Array(data.length);
    convertChunk(bytes, 'F32', halves);
    return this.#add(shape, type, new Uint8Array(halves.buffer));
  }

  scalar(value: number, type?: number): string {
    return this.constant({ shape: [], data: floats([value]) }, type);
  }

  integers(...values: number[]): string {
    return this.#add([values.length], INT64, new Uint8Array(BigInt64Array.from(values, BigInt).buffer));
  }

  #add(shape: number[], type: number, data: Uint8Array): string {
    const name = `constant_${this.#tensors.length}`;
    this.#tensors.push({ name, shape, type, data });
    return name;
  }

  /** The model's file, and the file with its large tensors, which it calls `weights`. `output` becomes `sentence_embedding`. */
  build(output: string, weights: string): { model: Uint8Array; data: Uint8Array } {
    this.#nodes.push({ input: [output], output: ['sentence_embedding'], op_type: 'Identity' });
    const value = (name: string, elem_type: number) => ({
      name,
      type: { tensor_type: { elem_type, shape: { dim: [{ dim_param: 'batch' }, { dim_param: `${name}_1` }] } } },
    });
    let end = 0;
    const outside: { at: number; data: Uint8Array }[] = [];
    const initializer = this.#tensors.map(({ name, shape, type, data }) => {
      const tensor = { name, dims: shape, data_type: type };
      if (data.length <= MOST_INLINE_BYTES) return { ...tensor, raw_data: data };
      const at = end;
      outside.push({ at, data });
      end += Math.ceil(data.length / ALIGNMENT) * ALIGNMENT;
      const place = { location: weights, offset: at, length: data.length };
      const external_data = Object.entries(place).map(([key, value]) => ({ key, value: String(value) }));
      return { ...tensor, external_data, data_location: EXTERNAL };
    });
    const data = new Uint8Array(end);
    for (const { at, data: bytes } of outside) data.set(bytes, at);
    const model = {
      ir_version: 9,
      opset_import: [
        { domain: '', version: 18 },
        { domain: 'com.microsoft', version: 1 },
      ],
      graph: {
        name: 'embedder',
        node: this.#nodes,
        initializer,
        input: [value('input_ids', INT64), value('attention_mask', INT64)],
        output: [value('sentence_embedding', FLOAT)],
      },
    };
    return { model: MODEL.encode(MODEL.fromObject(model)).finish(), data };
  }
}
