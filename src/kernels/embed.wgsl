// hidden_states = LayerNorm(tok_embeddings[input_ids]): a workgroup takes four rows, 16 threads each. Writes the residual stream in f32 and, as layer 0 has no
// attn_norm, the same values as the first GEMM's input. A table larger than one binding comes in pieces: each dispatch sees one.

alias w_t = vec4<u32>;  // vec4<u32>: four f32 weights, or 16 of q8; vec2<u32>: four f16 weights
alias out_t = f32;
const W_LANES: u32 = 4; // components of w_t
const W_BITS: u32 = 32; // of a weight: 8 is quantised in groups of 32 (layout: files/quantize.ts)
const HIDDEN: u32 = 256;
const STRIDE: u32 = 256; // HIDDEN padded with zeros
const EPS: f32 = 1e-5;
const FIRST_ID: u32 = 0; // the piece of the table bound here: ids FIRST_ID .. FIRST_ID + IDS
const IDS: u32 = 1024;

@group(0) @binding(0) var<storage, read> input_ids: array<u32>; // [tokens]
@group(0) @binding(1) var<storage, read> table: array<w_t>; // [IDS, STRIDE]
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>; // [STRIDE]
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>; // [STRIDE]
@group(0) @binding(4) var<storage, read_write> hidden_states: array<vec4<f32>>; // [tokens, STRIDE]
@group(0) @binding(5) var<storage, read_write> normed: array<vec4<out_t>>; // [tokens, STRIDE]
@group(0) @binding(6) var<storage, read> table_scales: array<u32>; // f16 pairs [IDS, STRIDE / 32], where the table is quantised

const ROWS: u32 = 4; // a workgroup
const LANES: u32 = 16; // threads a row
const VECS = STRIDE / 4;
var<workgroup> sums: array<f32, ROWS * LANES>;
var<workgroup> squares: array<f32, ROWS * LANES>;

fn load(at: u32) -> vec4<f32> {
  if (W_BITS == 8) {
    let scale = unpack2x16float(table_scales[at / 16] >> (at / 8 % 2 * 16)).x;
    return scale * vec4<f32>(vec4<i32>(vec4(table[at / 4][at % 4]) << vec4(24, 16, 8, 0)) >> vec4(24));
  }
  let v = table[at];
  if (W_LANES == 2) { return vec4(unpack2x16float(v.x), unpack2x16float(v.y)); }
  return bitcast<vec4<f32>>(vec4(v.x, v.y, v[W_LANES - 2], v[W_LANES - 1]));
}

fn deviation(value: vec4<f32>, vec: u32, mean: f32) -> vec4<f32> { // 0 in the padding
  return select(vec4(0.0), value - mean, vec4(vec * 4) + vec4(0, 1, 2, 3) < vec4(HIDDEN));
}

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let lane = local.x;
  let row = group.x * ROWS + local.y;
  let id = input_ids[row];
  let here = id >= FIRST_ID && id - FIRST_ID < IDS;
  let base = select(0u, id - FIRST_ID, here) * VECS;

  var sum = vec4<f32>();
  for (var v = lane; v < VECS; v += LANES) { sum += load(base + v); }
  sums[local.y * LANES + lane] = dot(sum, vec4(1.0));
  workgroupBarrier();
  var mean = 0.0;
  for (var i = 0u; i < LANES; i++) { mean += sums[local.y * LANES + i]; }
  mean /= f32(HIDDEN);

  var square = 0.0;
  for (var v = lane; v < VECS; v += LANES) {
    let d = deviation(load(base + v), v, mean);
    square += dot(d, d);
  }
  squares[local.y * LANES + lane] = square;
  workgroupBarrier();
  var variance = 0.0;
  for (var i = 0u; i < LANES; i++) { variance += squares[local.y * LANES + i]; }
  variance /= f32(HIDDEN);

  let scale = inverseSqrt(variance + EPS);
  if (here) {
    for (var v = lane; v < VECS; v += LANES) {
      let y = deviation(load(base + v), v, mean) * scale * weight[v] + bias[v];
      hidden_states[row * VECS + v] = y;
      normed[row * VECS + v] = vec4<out_t>(y);
    }
  }
}
