// LayerNorm, the part that both kernels share: y = (x - mean(x)) / sqrt(var(x) + EPS) * weight + bias. A workgroup computes ROWS rows, with LANES
// threads per row; the buffers must have room for the rows that fill up the last workgroup. The variance is the mean of squared deviations, not
// mean(x²) - mean(x)², which loses precision in rows far from zero.
// layer_norm_rows.wgsl and layer_norm_in_place.wgsl, one of which is appended to this file, define load(at), which reads vec4 `at` of their input.

alias out_t = f32;
const HIDDEN: u32 = 256;
const STRIDE: u32 = 256; // HIDDEN padded, with anything: an activation may make more of zeros
const EPS: f32 = 1e-5;
const RMS: bool = false; // RMSNorm: the mean counts as 0
const OUT_MAX: f32 = 0.0; // as in gemm.wgsl

@group(0) @binding(0) var<storage, read> weight: array<vec4<f32>>; // [STRIDE]
@group(0) @binding(1) var<storage, read> bias: array<vec4<f32>>; // [STRIDE]
@group(0) @binding(2) var<storage, read_write> normed: array<vec4<out_t>>; // [rows, STRIDE]

const ROWS: u32 = 4; // per workgroup
const LANES: u32 = 16; // threads per row
const VECS = STRIDE / 4;
var<workgroup> sums: array<array<f32, LANES>, ROWS>;
var<workgroup> squares: array<array<f32, LANES>, ROWS>;

struct Moments { mean: f32, scale: f32 } // scale: 1 / standard deviation

fn deviation(value: vec4<f32>, vec: u32, mean: f32) -> vec4<f32> { // 0 in the padding
  return select(vec4(0.0), value - mean, vec4(vec * 4) + vec4(0, 1, 2, 3) < vec4(HIDDEN));
}

fn moments(base: u32, local: vec3<u32>) -> Moments { // of the row whose first vec4 is at `base`
  let lane = local.x % LANES; // % tells the compiler what a parameter cannot: how many threads there are
  let y = local.y % ROWS;
  var sum = vec4<f32>();
  for (var v = lane; v < VECS; v += LANES) { sum += deviation(load(base + v), v, 0.0); }
  sums[y][lane] = dot(sum, vec4(1.0));
  workgroupBarrier();
  var mean = 0.0;
  for (var i = 0u; i < LANES; i++) { mean += sums[y][i]; }
  mean = select(mean / f32(HIDDEN), 0.0, RMS);

  var square = 0.0;
  for (var v = lane; v < VECS; v += LANES) {
    let d = deviation(load(base + v), v, mean);
    square += dot(d, d);
  }
  squares[y][lane] = square;
  workgroupBarrier();
  var variance = 0.0;
  for (var i = 0u; i < LANES; i++) { variance += squares[y][i]; }
  variance /= f32(HIDDEN);
  // A variance that overflows would make a row of zeros; it makes one of NaN, which is noticed.
  let bits = bitcast<u32>(variance);
  return Moments(mean, select(inverseSqrt(variance + EPS), bitcast<f32>(bits | 0x7fc00000), bits >= 0x7f800000));
}

fn normalised(base: u32, v: u32, m: Moments) -> vec4<f32> {
  return deviation(load(base + v), v, m.mean) * m.scale * weight[v] + bias[v];
}

fn stored(y: vec4<f32>) -> vec4<out_t> {
  if (OUT_MAX > 0.0) { return vec4<out_t>(select(y, bitcast<vec4<f32>>(bitcast<vec4<u32>>(y) | vec4(0x7fc00000u)), abs(y) > vec4(OUT_MAX))); }
  return vec4<out_t>(y);
}
