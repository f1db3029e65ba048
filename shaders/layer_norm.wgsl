// normed[row] = (x - mean(x)) / sqrt(var(x) + EPS) * weight + bias for x = hidden_states[row], or hidden_states[rows[row]] when
// GATHER: one workgroup a row. The variance is of the deviations, not mean(x²) - mean(x)².

alias out_t = f32;
const HIDDEN: u32 = 256;
const STRIDE: u32 = 256; // HIDDEN padded with zeros
const EPS: f32 = 1e-5;
const GATHER: bool = false;

@group(0) @binding(0) var<storage, read> hidden_states: array<vec4<f32>>; // [tokens, STRIDE]
@group(0) @binding(1) var<storage, read> rows: array<u32>; // [rows]
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>; // [STRIDE]
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>; // [STRIDE]
@group(0) @binding(4) var<storage, read_write> normed: array<vec4<out_t>>; // [tokens or rows, STRIDE]

const THREADS: u32 = 64;
const VECS = STRIDE / 4;
var<workgroup> partial: array<f32, THREADS>;

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
  var source = row;
  if (GATHER) { source = rows[row]; }
  let base = source * VECS;

  var sum = vec4<f32>();
  for (var v = thread; v < VECS; v += THREADS) { sum += hidden_states[base + v]; }
  let mean = total(dot(sum, vec4(1.0)), thread) / f32(HIDDEN);
  var squares = 0.0;
  for (var v = thread; v < VECS; v += THREADS) {
    let d = deviation(hidden_states[base + v], v, mean);
    squares += dot(d, d);
  }
  let scale = inverseSqrt(total(squares, thread) / f32(HIDDEN) + EPS);
  for (var v = thread; v < VECS; v += THREADS) {
    let y = deviation(hidden_states[base + v], v, mean) * scale * weight[v] + bias[v];
    normed[row * VECS + v] = vec4<out_t>(y);
  }
}
