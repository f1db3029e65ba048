// Makes the contents of a ModernBERT checkpoint with reproducible pseudo-random weights, in Node and in a page.
// The same spec always gives the same bytes: every value comes from an integer hash and sums of small integers, never from libm. With
// these scales attention is peaked and LayerNorm weights differ from 1, so that a wrong RoPE, window or norm shows in the output.

/**
 * @typedef {import('../src/api/types.ts').Task} Task
 * @typedef {Record<string, unknown> & { hidden_size: number, intermediate_size: number, vocab_size: number, num_hidden_layers: number, num_labels?: number }} Config
 * @typedef {{ seed: number, task: Task, config: Config, build?: Record<string, unknown> }} Spec
 * @typedef {'F32' | 'F16' | 'BF16'} Dtype
 * @typedef {{ name: string, shape: number[], mean: number, std: number }} TensorSpec
 */

/**
 * The tensors of a checkpoint, in file order.
 * @param {Task} task
 * @param {Config} config
 */
function tensors(task, config) {
  const { hidden_size: hidden, intermediate_size: intermediate, vocab_size: vocab } = config;
  const prefix = task === 'encoder' ? '' : 'model.';
  /** @type {TensorSpec[]} */
  const list = [];
  const weight = (/** @type {string} */ name, /** @type {number} */ rows, /** @type {number} */ cols, gain = 1) =>
    list.push({ name: `${name}.weight`, shape: [rows, cols], mean: 0, std: gain / Math.sqrt(cols) });
  const bias = (/** @type {unknown} */ on, /** @type {string} */ name, /** @type {number} */ n) => {
    if (on) list.push({ name: `${name}.bias`, shape: [n], mean: 0, std: 0.1 });
  };
  const norm = (/** @type {string} */ name) => {
    list.push({ name: `${name}.weight`, shape: [hidden], mean: 1, std: 0.25 });
    bias(config.norm_bias, name, hidden);
  };

  weight(`${prefix}embeddings.tok_embeddings`, vocab, hidden, 3);
  norm(`${prefix}embeddings.norm`);
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = `${prefix}layers.${i}.`;
    if (i > 0) norm(`${layer}attn_norm`);
    weight(`${layer}attn.Wqkv`, 3 * hidden, hidden, 1.5);
    bias(config.attention_bias, `${layer}attn.Wqkv`, 3 * hidden);
    weight(`${layer}attn.Wo`, hidden, hidden, 0.5);
    bias(config.attention_bias, `${layer}attn.Wo`, hidden);
    norm(`${layer}mlp_norm`);
    weight(`${layer}mlp.Wi`, 2 * intermediate, hidden);
    bias(config.mlp_bias, `${layer}mlp.Wi`, 2 * intermediate);
    weight(`${layer}mlp.Wo`, hidden, intermediate, 0.7);
    bias(config.mlp_bias, `${layer}mlp.Wo`, hidden);
  }
  norm(`${prefix}final_norm`);
  if (task !== 'encoder') {
    weight('head.dense', hidden, hidden);
    bias(config.classifier_bias, 'head.dense', hidden);
    norm('head.norm');
  }
  if (task === 'mlm') bias(config.decoder_bias !== false, 'decoder', vocab); // decoder.weight is tied to tok_embeddings
  if (task === 'seqcls' || task === 'tokcls' || task === 'qa') {
    const labels = config.num_labels ?? 2;
    weight('classifier', labels, hidden);
    bias(true, 'classifier', labels);
  }
  return list;
}

/**
 * The 32-bit integer hash "lowbias32".
 * @param {number} x
 */
function hash32(x) {
  let h = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * @param {string} name
 * @param {number} seed
 */
function nameSeed(name, seed) {
  let h = hash32(seed + 0x9e3779b9);
  for (const letter of name) h = hash32(h ^ letter.charCodeAt(0));
  return h;
}

/**
 * Approximately normal value of element i: the sum of the 8 bytes of two hashes, scaled to unit variance.
 * @param {number} key
 * @param {number} i
 */
function unit(key, i) {
  let sum = 0;
  for (let k = 0; k < 2; k++) {
    const h = hash32(key ^ hash32(Math.imul(i, 2) + k));
    sum += (h & 255) + ((h >>> 8) & 255) + ((h >>> 16) & 255) + (h >>> 24);
  }
  return (sum - 1020) / 209.0151; // 8 uniform bytes: mean 1020, variance 8 * 65535 / 12
}

const f32 = new Float32Array(1);
const u32 = new Uint32Array(f32.buffer);

/** The bits of bfloat16, rounded to nearest, ties to even. @param {number} value */
function toBF16(value) {
  f32[0] = value;
  return ((u32[0] + 0x7fff + ((u32[0] >>> 16) & 1)) >>> 16) & 0xffff;
}

/** The bits of float16, rounded to nearest, ties to even. @param {number} value */
function toF16(value) {
  f32[0] = value;
  const sign = (u32[0] >>> 16) & 0x8000;
  const exponent = ((u32[0] >>> 23) & 255) - 112;
  const fraction = u32[0] & 0x7fffff;
  if (exponent >= 31) return sign | 0x7c00;
  if (exponent < -10) return sign;
  const [bits, shift] = exponent <= 0 ? [fraction | 0x800000, 14 - exponent] : [fraction, 13];
  const kept = exponent <= 0 ? bits >>> shift : (exponent << 10) | (bits >>> shift);
  const rest = bits & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (kept + (rest > half || (rest === half && kept & 1) ? 1 : 0));
}

/**
 * The bytes of `count` elements of a tensor, from element `at`.
 * @param {TensorSpec} tensor
 * @param {number} seed
 * @param {Dtype} dtype
 * @param {number} at
 * @param {number} count
 */
function values({ name, mean, std }, seed, dtype, at, count) {
  const key = nameSeed(name, seed);
  const array = dtype === 'F32' ? new Float32Array(count) : new Uint16Array(count);
  for (let i = 0; i < count; i++) {
    const value = mean + std * unit(key, at + i);
    array[i] = dtype === 'F32' ? value : dtype === 'F16' ? toF16(value) : toBF16(value);
  }
  return new Uint8Array(array.buffer);
}

/** Elements per part. */
const CHUNK = 1 << 20;

/**
 * config.json and model.safetensors of a spec. `parts` yields the latter in order, in parts, so that it need not fit in memory.
 * @param {Spec} spec
 * @param {Dtype} dtype
 */
export function randomCheckpoint(spec, dtype = 'F32') {
  const list = tensors(spec.task, { ...spec.config, ...spec.build });
  const sizeOf = (/** @type {TensorSpec} */ { shape }) => shape.reduce((a, b) => a * b, 1);
  const bytesPerElement = dtype === 'F32' ? 4 : 2;
  /** @type {Record<string, object>} */
  const header = { __metadata__: { format: 'pt' } };
  let offset = 0;
  for (const tensor of list) {
    const end = offset + sizeOf(tensor) * bytesPerElement;
    header[tensor.name] = { dtype, shape: tensor.shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = JSON.stringify(header);
  const text = new TextEncoder().encode(json.padEnd(Math.ceil(json.length / 8) * 8));
  const start = new Uint8Array(8 + text.length);
  new DataView(start.buffer).setBigUint64(0, BigInt(text.length), true);
  start.set(text, 8);

  function* parts() {
    yield start;
    for (const tensor of list) {
      for (let at = 0; at < sizeOf(tensor); at += CHUNK) {
        yield values(tensor, spec.seed, dtype, at, Math.min(CHUNK, sizeOf(tensor) - at));
      }
    }
  }
  const config = `${JSON.stringify({ model_type: 'modernbert', ...spec.config }, null, 2)}\n`;
  return { config, bytes: start.length + offset, tensors: list.length, parts };
}
