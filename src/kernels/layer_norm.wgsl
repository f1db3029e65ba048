// normed[row] = (x - mean(x)) / sqrt(var(x) + EPS) * weight + bias for x = hidden_states[row], or hidden_states[rows[row]] when
// GATHER: a workgroup takes four rows, 16 threads each; there must be room for the rows that
// fill up the last workgroup. The variance is of the deviations, not mean(x²) - mean(x)².

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

const ROWS: u32 = 4; // a workgroup
const LANES: u32 = 16; // threads a row
const VECS = STRIDE / 4;
var<workgroup> sums: array<f32, ROWS * LANES>;
var<workgroup> squares: array<f32, ROWS * LANES>;

fn deviation(value: vec4<f32>, vec: u32, mean: f32) -> vec4<f32> { // 0 in the padding
  return select(vec4(0.0), value - mean, vec4(vec * 4) + vec4(0, 1, 2, 3) < vec4(HIDDEN));
}

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let lane = local.x;
  let row = group.x * ROWS + local.y;
  var source = row;
  if (GATHER) { source = rows[min(row, arrayLength(&rows) - 1)]; }
  let base = source * VECS;

  var sum = vec4<f32>();
  for (var v = lane; v < VECS; v += LANES) { sum += hidden_states[base + v]; }
  sums[local.y * LANES + lane] = dot(sum, vec4(1.0));
  workgroupBarrier();
  var mean = 0.0;
  for (var i = 0u; i < LANES; i++) { mean += sums[local.y * LANES + i]; }
  mean /= f32(HIDDEN);

  var square = 0.0;
  for (var v = lane; v < VECS; v += LANES) {
    let d = deviation(hidden_states[base + v], v, mean);
    square += dot(d, d);
  }
  squares[local.y * LANES + lane] = square;
  workgroupBarrier();
  var variance = 0.0;
  for (var i = 0u; i < LANES; i++) { variance += squares[local.y * LANES + i]; }
  variance /= f32(HIDDEN);

  let scale = inverseSqrt(variance + EPS);
  for (var v = lane; v < VECS; v += LANES) {
    let y = deviation(hidden_states[base + v], v, mean) * scale * weight[v] + bias[v];
    normed[row * VECS + v] = vec4<out_t>(y);
  }
}
