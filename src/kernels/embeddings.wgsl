// hidden_states = w[input_ids] + position_embeddings[positions] + token_type_embeddings[token_type_ids], the last two where a model has them.
// w is the table of tokens, stored as a GEMM's weights. A workgroup computes ROWS tokens, with LANES threads per token. A table larger than one binding is split into pieces; each dispatch binds
// one piece and writes the tokens whose ids are in it.

alias w_t = vec4<u32>;  // vec4<u32>: 4 f32, 16 q8 or 32 q4 weights; vec2<u32>: 4 f16 weights
const W_LANES: u32 = 4; // components of w_t
const W_BITS: u32 = 32; // per weight: 8 and 4 are quantised in groups of 32 (layout: formats/quantize.ts)
const STRIDE: u32 = 256; // columns, padded
const FIRST_ID: u32 = 0; // the bound piece of the table: ids FIRST_ID .. FIRST_ID + IDS
const IDS: u32 = 1024;
const POSITIONS: u32 = 0; // rows of position_embeddings; 0: there are none
const TYPES: u32 = 0; // rows of token_type_embeddings; 0: there are none, 1: every token is of type 0

@group(0) @binding(0) var<storage, read> input_ids: array<u32>; // [tokens]
@group(0) @binding(1) var<storage, read> w: array<w_t>; // [IDS, STRIDE]
@group(0) @binding(2) var<storage, read> w_scales: array<u32>; // f16 pairs [IDS, STRIDE / 32], if the table is quantised
@group(0) @binding(3) var<storage, read> positions: array<u32>; // [tokens]
@group(0) @binding(4) var<storage, read> position_embeddings: array<vec4<f32>>; // [POSITIONS, STRIDE]
@group(0) @binding(5) var<storage, read> token_type_ids: array<u32>; // [tokens]
@group(0) @binding(6) var<storage, read> token_type_embeddings: array<vec4<f32>>; // [TYPES, STRIDE]
@group(0) @binding(7) var<storage, read_write> hidden_states: array<vec4<f32>>; // [tokens, STRIDE]

const ROWS: u32 = 4; // per workgroup
const LANES: u32 = 16; // threads per row
const VECS = STRIDE / 4;

fn load(at: u32) -> vec4<f32> {
  if (W_BITS < 16) { return dequantised(at); }
  let v = w[at];
  if (W_LANES == 2) {
    return vec4(unpack2x16float(v.x), unpack2x16float(v.y));
  }
  return bitcast<vec4<f32>>(vec4(v.x, v.y, v[W_LANES - 2], v[W_LANES - 1]));
}

fn dequantised(at: u32) -> vec4<f32> { // as in gemm.wgsl: exact
  let scale = unpack2x16float(w_scales[at / 16] >> (at / 8 % 2 * 16)).x;
  let word = select(at, at / 2, W_BITS == 4);
  let v = w[word / 4][word % W_LANES];
  let bytes = select(v ^ 0x80808080, (v >> (at % 2 * 4)) & 0x0f0f0f0f, W_BITS == 4); // the integers plus zero
  let zero = select(128.0, 8.0, W_BITS == 4);
  return fma(vec4<f32>((vec4(bytes) >> vec4(0, 8, 16, 24)) & vec4(255)), vec4(scale), vec4(-zero * scale));
}

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let row = group.x * ROWS + local.y;
  let id = input_ids[row];
  if (id < FIRST_ID || id - FIRST_ID >= IDS) { return; }
  var position = 0u;
  if (POSITIONS > 0) { position = min(positions[row], POSITIONS - 1) * VECS; }
  var kind = 0u;
  if (TYPES > 1) { kind = min(token_type_ids[row], TYPES - 1) * VECS; }
  for (var v = local.x; v < VECS; v += LANES) {
    var sum = load((id - FIRST_ID) * VECS + v);
    if (TYPES > 0) { sum += token_type_embeddings[kind + v]; }
    if (POSITIONS > 0) { sum += position_embeddings[position + v]; }
    hidden_states[row * VECS + v] = sum;
  }
}
