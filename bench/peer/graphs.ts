// Embedders as ONNX graphs, as good as ONNX Runtime Web's WebGPU provider can have them: RoPE, residual additions with LayerNorm, and GELU are
// single operators of ONNX Runtime's own, and the mean and its norm are inside. Attention is one operator too, or as an export has it.
import { FLOAT, OnnxGraph, type Precision } from './onnx';
import { floats, type Tensor, transposed } from './tensors';

/** Added to scores that do not count. Twice of it is still a finite f16. */
const LOW = -3e4;

export interface GraphOptions {
  precision: Precision;
  /** `fused`: MultiHeadAttention, a flash attention; `unfused`: a product of all scores, their softmax, and a product with the values. */
  attention: 'fused' | 'unfused';
}

export interface GraphSource {
  config: Record<string, unknown>;
  tensors: Map<string, Tensor>;
}

/** The graph of a checkpoint, and its weights as a file with the name `weights`. Throws an Error for other architectures than those two. */
export function graphOf(source: GraphSource, { precision, attention }: GraphOptions, weights: string) {
  const graph = new OnnxGraph(precision);
  const build = { bert, modernbert: modernBert }[String(source.config.model_type)];
  if (!build) throw new Error(`There is no ONNX graph for the architecture '${source.config.model_type}'.`);
  return graph.build(meanOf(graph, build(graph, source, ATTENTION[attention])), weights);
}

/** [batch, length, hidden] from queries, keys and values of that shape and the scores' bias. `size`: of a head. */
type Attention = (graph: OnnxGraph, qkv: string[], bias: string, heads: number, size: number) => string;

const ATTENTION: Record<GraphOptions['attention'], Attention> = {
  fused: (graph, qkv, bias, heads) => graph.op('MultiHeadAttention', [...qkv, '', '', bias], { num_heads: heads }),
  unfused: (graph, qkv, bias, heads, size) => {
    const byHead = (x: string, perm: number[]) =>
      graph.op('Transpose', [graph.op('Reshape', [x, graph.integers(0, 0, heads, size)])], { perm });
    const [q, k, v] = [byHead(qkv[0], [0, 2, 1, 3]), byHead(qkv[1], [0, 2, 3, 1]), byHead(qkv[2], [0, 2, 1, 3])];
    const products = graph.op('MatMul', [graph.op('Mul', [q, graph.scalar(size ** -0.5)]), k]);
    const weights = graph.op('Softmax', [graph.op('Add', [products, bias])], { axis: -1 });
    const values = graph.op('Transpose', [graph.op('MatMul', [weights, v])], { perm: [0, 2, 1, 3] });
    return graph.op('Reshape', [values, graph.integers(0, 0, heads * size)]);
  },
};

function readerOf({ config, tensors }: GraphSource, graph: OnnxGraph) {
  const tensor = (name: string) => {
    const found = tensors.get(name);
    if (!found) throw new Error(`The checkpoint has no tensor '${name}'.`);
    return found;
  };
  return {
    number: (name: string) => Number(config[name]),
    tensor,
    vector: (name: string) => graph.constant(tensor(name)),
    /** Of a linear layer: [in, out]. */
    matrix: (name: string) => graph.constant(transposed(tensor(name))),
  };
}

/** Normalised means over the tokens that are not padding, [batch, hidden] in f32. The norm takes care of their number. */
function meanOf(graph: OnnxGraph, hidden: string): string {
  const mask = graph.op('Unsqueeze', [graph.op('Cast', ['attention_mask'], { to: FLOAT }), graph.integers(1)]);
  const rows = graph.precision === 'f16' ? graph.op('Cast', [hidden], { to: FLOAT }) : hidden;
  const total = graph.op('Squeeze', [graph.op('MatMul', [mask, rows]), graph.integers(1)]);
  return graph.op('Div', [total, graph.op('ReduceL2', [total, graph.integers(-1)])]);
}

/** For attention's scores, [batch, 1, length, length]: 0 where a key counts, LOW for padding, and with `window` for keys farther away. */
function scoreBias(graph: OnnxGraph, maxLength: number, window?: number): string {
  const length = graph.op('Gather', [graph.op('Shape', ['input_ids']), graph.integers(1)]);
  const every = graph.constant({ shape: [maxLength], data: floats(Array(maxLength).keys()) }, FLOAT);
  const positions = graph.op('Slice', [every, graph.integers(0), length, graph.integers(0)]);
  const rows = graph.op('Unsqueeze', [positions, graph.integers(1)]);
  const [one, low] = [graph.scalar(1, FLOAT), graph.scalar(LOW, FLOAT)];
  const visible = graph.op('Cast', ['attention_mask'], { to: FLOAT });
  const padding = graph.op('Unsqueeze', [graph.op('Sub', [one, visible]), graph.integers(1, 2)]);
  // How far beyond the window, at most 1; 0 everywhere without one.
  const distance = graph.op('Abs', [graph.op('Sub', [rows, positions])]);
  const beyond = graph.op('Clip', [
    graph.op('Sub', [distance, graph.scalar(window ?? maxLength, FLOAT)]),
    graph.scalar(0, FLOAT),
    one,
  ]);
  const bias = graph.op('Mul', [graph.op('Add', [padding, beyond]), low]);
  return graph.precision === 'f16' ? graph.op('Cast', [bias], { to: graph.type }) : bias;
}

function modernBert(graph: OnnxGraph, source: GraphSource, attention: Attention): string {
  const { number, tensor, vector, matrix } = readerOf(source, graph);
  const [layers, heads, maxLength] = ['num_hidden_layers', 'num_attention_heads', 'max_position_embeddings'].map(
    number,
  );
  const epsilon = number('norm_eps');
  const size = number('hidden_size') / heads;
  const rope = (theta: number) => ropeTables(graph, theta, size, maxLength);
  const kinds = {
    global: { tables: rope(number('global_rope_theta')), bias: scoreBias(graph, maxLength) },
    local: {
      tables: rope(number('local_rope_theta')),
      bias: scoreBias(graph, maxLength, number('local_attention') / 2),
    },
  };
  const start = graph.integers(0);
  const words = graph.op('Gather', [graph.constant(tensor('embeddings.tok_embeddings.weight')), 'input_ids']);
  let hidden = graph.op('LayerNormalization', [words, vector('embeddings.norm.weight')], { epsilon });
  let normed = hidden; // the first layer has no attn_norm
  /** hidden + more, and its LayerNorm. */
  const add = (more: string, norm: string) => {
    const [output, , , sum] = graph.ops('SkipLayerNormalization', [more, hidden, vector(`${norm}.weight`)], 4, {
      epsilon,
    });
    hidden = sum;
    normed = output;
  };
  for (let i = 0; i < layers; i++) {
    const layer = `layers.${i}.`;
    const { tables, bias } = kinds[i % number('global_attn_every_n_layers') === 0 ? 'global' : 'local'];
    const qkv = graph.op('MatMul', [normed, matrix(`${layer}attn.Wqkv.weight`)]);
    const [q, k, v] = graph.ops('Split', [qkv], 3, { axis: -1, num_outputs: 3 });
    const [turnedQ, turnedK] = [q, k].map((x) => graph.op('RotaryEmbedding', [x, start, ...tables]));
    const values = attention(graph, [turnedQ, turnedK, v], bias, heads, size);
    add(graph.op('MatMul', [values, matrix(`${layer}attn.Wo.weight`)]), `${layer}mlp_norm`);
    const wide = graph.op('MatMul', [normed, matrix(`${layer}mlp.Wi.weight`)]);
    const [input, gate] = graph.ops('Split', [wide], 2, { axis: -1, num_outputs: 2 });
    const product = graph.op('Mul', [graph.op('Gelu', [input]), gate]);
    const next = i + 1 < layers ? `layers.${i + 1}.attn_norm` : 'final_norm';
    add(graph.op('MatMul', [product, matrix(`${layer}mlp.Wo.weight`)]), next);
  }
  return normed;
}

/** Cosines and sines, [maxLength, headSize / 2]. */
function ropeTables(graph: OnnxGraph, theta: number, headSize: number, maxLength: number): string[] {
  const half = headSize / 2;
  return [Math.cos, Math.sin].map((of) => {
    const angle = (i: number) => Math.floor(i / half) * theta ** (-(i % half) / half);
    const data = Float32Array.from({ length: maxLength * half }, (_, i) => of(angle(i)));
    return graph.constant({ shape: [maxLength, half], data });
  });
}

function bert(graph: OnnxGraph, source: GraphSource, attention: Attention): string {
  const { number, tensor, vector, matrix } = readerOf(source, graph);
  const [layers, heads, maxLength] = ['num_hidden_layers', 'num_attention_heads', 'max_position_embeddings'].map(
    number,
  );
  const epsilon = number('layer_norm_eps');
  const bias = scoreBias(graph, maxLength);
  /** The LayerNorm of x + skip + a layer's bias. */
  const norm = (x: string, skip: string, name: string, added: string) =>
    graph.op('SkipLayerNormalization', [x, skip, vector(`${name}.weight`), vector(`${name}.bias`), added], { epsilon });
  const length = graph.op('Gather', [graph.op('Shape', ['input_ids']), graph.integers(1)]);
  const words = graph.op('Gather', [graph.constant(tensor('embeddings.word_embeddings.weight')), 'input_ids']);
  const every = graph.constant(tensor('embeddings.position_embeddings.weight'));
  const positions = graph.op('Slice', [every, graph.integers(0), length, graph.integers(0)]);
  const types = tensor('embeddings.token_type_embeddings.weight');
  const firstType = { shape: [types.shape[1]], data: types.data.slice(0, types.shape[1]) };
  let hidden = norm(
    words,
    graph.op('Unsqueeze', [positions, graph.integers(0)]),
    'embeddings.LayerNorm',
    graph.constant(firstType),
  );
  for (let i = 0; i < layers; i++) {
    const layer = `encoder.layer.${i}.`;
    const qkv = ['query', 'key', 'value'].map((name) => {
      const linear = `${layer}attention.self.${name}`;
      return graph.op('Add', [graph.op('MatMul', [hidden, matrix(`${linear}.weight`)]), vector(`${linear}.bias`)]);
    });
    const values = attention(graph, qkv, bias, heads, number('hidden_size') / heads);
    const output = `${layer}attention.output.`;
    const projected = graph.op('MatMul', [values, matrix(`${output}dense.weight`)]);
    hidden = norm(projected, hidden, `${output}LayerNorm`, vector(`${output}dense.bias`));
    const wide = graph.op('MatMul', [hidden, matrix(`${layer}intermediate.dense.weight`)]);
    const active = graph.op('BiasGelu', [wide, vector(`${layer}intermediate.dense.bias`)]);
    const narrow = graph.op('MatMul', [active, matrix(`${layer}output.dense.weight`)]);
    hidden = norm(narrow, hidden, `${layer}output.LayerNorm`, vector(`${layer}output.dense.bias`));
  }
  return hidden;
}
