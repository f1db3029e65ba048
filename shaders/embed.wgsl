// hidden_states = LayerNorm(tok_embeddings[input_ids]): one workgroup a row. Writes the residual stream in f32 and, as layer 0 has no
// attn_norm, the same values as the first GEMM's input. A table larger than one binding comes in pieces: each dispatch sees one.

alias w_t = vec4<u32>;  // four weights: vec4<u32> holds f32, vec2<u32> packed f16
alias out_t = f32;
const W_LANES: u32 = 4; // components of w_t
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

const THREADS: u32 = 64;
const VECS = STRIDE / 4;
var<workgroup> partial: array<f32, THREADS>;

fn load(at: u32) -> vec4<f32> {
  let v = table[at];
  if (W_LANES == 2) { return vec4(unpack2x16float(v.x), unpack2x16float(v.y)); }
  return bitcast<vec4<f32>>(vec4(v.x, v.y, v[W_LANES - 2], v[W_LANES - 1]));
}

fn total(value: f32, thread: u32) -> f32 { // sum over the workgroup
  workgroupBarrier();
  partial[thread] = value;
  workgroupBarrier();
  for (var half = THREADS / 2; half > 0; half /= 2) {
    if (thread < half) { partial[thread] += partial[thread + half]; }
    workgroupBarrier();
  }
  return partial[0];
}

fn deviation(value: vec4<f32>, vec: u32, mean: f32) -> vec4<f32> { // 0 in the padding
  return select(vec4(0.0), value - mean, vec4(vec * 4) + vec4(0, 1, 2, 3) < vec4(HIDDEN));
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = group.x;
  let id = input_ids[row];
  if (id < FIRST_ID || id - FIRST_ID >= IDS) { return; }
  let base = (id - FIRST_ID) * VECS;

  var sum = vec4<f32>();
  for (var v = thread; v < VECS; v += THREADS) { sum += load(base + v); }
  let mean = total(dot(sum, vec4(1.0)), thread) / f32(HIDDEN);
  var squares = 0.0;
  for (var v = thread; v < VECS; v += THREADS) {
    let d = deviation(load(base + v), v, mean);
    squares += dot(d, d);
  }
  let scale = inverseSqrt(total(squares, thread) / f32(HIDDEN) + EPS);
  for (var v = thread; v < VECS; v += THREADS) {
    let y = deviation(load(base + v), v, mean) * scale * weight[v] + bias[v];
    hidden_states[row * VECS + v] = y;
    normed[row * VECS + v] = vec4<out_t>(y);
  }
}
