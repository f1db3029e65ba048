// GEMM, the part that all designs share: out[M, N] = epilogue(a[M, K] · w[N, K]ᵀ + bias). This file has the bindings, the loads (which
// dequantise weights) and the epilogues. A design (gemm_workgroup.wgsl and its siblings, one of which is appended to this file) computes the
// products and calls `finish` with the sums of one row: two runs of 4 columns, PAIR columns apart, the first of which run_column4 returns.
// PAIR is the distance between the columns that an epilogue combines: RoPE's rotation partners, GeGLU's value and gate. The rows of w are put in
// that order at load. Rows of a and out are padded to TILE_M; K is padded to TILE_K with zeros, N to 8. The only bounds check is for rows of w
// past N, in the last tile.

alias a_t = f32;        // storage type of a
alias w_t = vec4<u32>;  // vec4<u32>: 4 f32, 16 q8 or 32 q4 weights; vec2<u32>: 4 f16 weights
alias out_t = f32;      // storage type of out
const W_LANES: u32 = 4; // components of w_t
const W_BITS: u32 = 32; // per weight: 8 and 4 are quantised in groups of 32 along K (layout: formats/quantize.ts)
const K: u32 = 256;
const N: u32 = 256;
const TILE_M: u32 = 64;
const TILE_N: u32 = 64;
const TILE_K: u32 = 16;
const PAIR: u32 = 32;
const HAS_BIAS: bool = false;
const EPILOGUE: u32 = 0; // 0 store, 1 add to out (residual), 2 activation, 3 GeGLU (N / 2 columns out), 4 RoPE on q and k, scale on q, 5 scale on q
const ACTIVATION: u32 = 0; // by its place in gemm-spec.ts's ACTIVATIONS; 0 gelu (erf)
const Q_WIDTH: u32 = 256; // columns of q, the first ones
const ROTATED: u32 = 512; // RoPE: columns of q and of k
const HEAD_DIM: u32 = 64;
const Q_SCALE: f32 = 0.125;
const OUT_STRIDE: u32 = 256; // columns of a row of out
const OUT_COLUMN: u32 = 0; // the column of out that column 0 goes to
const OUT_MAX: f32 = 0.0; // larger magnitudes become NaN, so that an overflow of f16 output is noticed; 0: f32 output

@group(0) @binding(0) var<storage, read> a: array<vec4<a_t>>; // [M, K]
@group(0) @binding(1) var<storage, read> w: array<w_t>; // [N, K]
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>; // [N]
@group(0) @binding(3) var<storage, read> positions: array<u32>; // [M]
@group(0) @binding(4) var<storage, read> rope: array<vec4<f32>>; // [positions, HEAD_DIM]: cosines, then sines, of HEAD_DIM / 2 angles
@group(0) @binding(5) var<storage, read_write> out: array<vec4<out_t>>; // [M, OUT_STRIDE]
@group(0) @binding(6) var<storage, read> w_scales: array<u32>; // f16 pairs [N, K / 32], if w is quantised

// First column of a run, in vec4s. Each run covers 8 columns, 4 from there and 4 from PAIR columns later; the runs together cover all columns.
fn run_column4(run: u32) -> u32 {
  return run / (PAIR / 4) * (PAIR / 2) + run % (PAIR / 4);
}

fn load_a(row: u32, k4: u32) -> vec4<f32> {
  return vec4<f32>(a[row * (K / 4) + k4]);
}

fn load_w(row: u32, k4: u32) -> vec4<f32> {
  let at = min(row, N - 1) * (K / 4) + k4;
  if (W_BITS < 16) { return dequantised(at); }
  let v = w[at];
  if (W_LANES == 2) {
    return vec4(unpack2x16float(v.x), unpack2x16float(v.y));
  }
  return bitcast<vec4<f32>>(vec4(v.x, v.y, v[W_LANES - 2], v[W_LANES - 1]));
}

// Four rows by four k, transposed: column i is k 4 k4 + i of the rows.
fn a_block(row: u32, k4: u32) -> mat4x4<f32> {
  return transpose(mat4x4(load_a(row, k4), load_a(row + 1, k4), load_a(row + 2, k4), load_a(row + 3, k4)));
}

fn w_block(row: u32, k4: u32) -> mat4x4<f32> {
  return transpose(mat4x4(load_w(row, k4), load_w(row + 1, k4), load_w(row + 2, k4), load_w(row + 3, k4)));
}

fn dequantised(at: u32) -> vec4<f32> { // weights 4 at .. 4 at + 4; exact, as a scale has 11 bits and an integer 8
  let scale = unpack2x16float(w_scales[at / 16] >> (at / 8 % 2 * 16)).x;
  let word = select(at, at / 2, W_BITS == 4);
  let v = w[word / 4][word % W_LANES];
  let bytes = select(v ^ 0x80808080, (v >> (at % 2 * 4)) & 0x0f0f0f0f, W_BITS == 4); // the integers plus zero
  let zero = select(128.0, 8.0, W_BITS == 4);
  return fma(vec4<f32>((vec4(bytes) >> vec4(0, 8, 16, 24)) & vec4(255)), vec4(scale), vec4(-zero * scale));
}

fn erf(x: vec4<f32>) -> vec4<f32> { // Abramowitz and Stegun 7.1.26, |error| < 1.5e-7
  let t = 1.0 / (1.0 + 0.3275911 * abs(x));
  let p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return sign(x) * (1.0 - p * exp(-x * x));
}

// exp may drop a NaN; this puts it back.
fn keep_nan(x: vec4<f32>, value: vec4<f32>) -> vec4<f32> {
  return select(value, x, (bitcast<vec4<u32>>(x) & vec4(0x7fffffffu)) > vec4(0x7f800000u));
}

fn activate(x: vec4<f32>) -> vec4<f32> {
  if (ACTIVATION == 1) {
    return x / (1.0 + exp(-1.5957691216057308 * (x + 0.044715 * x * x * x))); // x (1 + tanh(y)) / 2 = x sigmoid(2y)
  }
  if (ACTIVATION == 2) { return x / (1.0 + exp(-x)); }
  if (ACTIVATION == 3) { return select(x, vec4(0.0), x < vec4(0.0)); } // max may drop a NaN
  if (ACTIVATION == 4) { return keep_nan(x, 1.0 - 2.0 / (1.0 + exp(2.0 * x))); }
  if (ACTIVATION == 5) { return x / (1.0 + exp(-1.702 * x)); }
  if (ACTIVATION == 6) { return keep_nan(x, 1.0 / (1.0 + exp(-x))); }
  if (ACTIVATION == 7) { return select(x, 0.01 * x, x < vec4(0.0)); }
  if (ACTIVATION == 8) { // x tanh(log(1 + e)) = x (e² + 2e) / (e² + 2e + 2), e = exp(x); from 20 on the factor is 1 and e² may overflow
    let e = exp(min(x, vec4(20.0)));
    let n = e * (e + 2.0);
    return x * (n / (n + 2.0));
  }
  if (ACTIVATION == 9) { return x; }
  return 0.5 * x * (1.0 + erf(x * 0.7071067811865476));
}

fn put(row: u32, column: u32, value: vec4<f32>) {
  let at = (row * OUT_STRIDE + OUT_COLUMN + column) / 4;
  if (EPILOGUE == 1) { out[at] += vec4<out_t>(value); return; }
  var stored = value;
  if (OUT_MAX > 0.0) { stored = select(value, bitcast<vec4<f32>>(bitcast<vec4<u32>>(value) | vec4(0x7fc00000u)), abs(value) > vec4(OUT_MAX)); }
  out[at] = vec4<out_t>(stored);
}

fn finish(row: u32, column: u32, first: vec4<f32>, second: vec4<f32>) { // of columns column .. and column + PAIR ..
  if (column >= N) { return; }
  var x = first;
  var y = second;
  if (HAS_BIAS) {
    x += bias[column / 4];
    y += bias[(column + PAIR) / 4];
  }
  if (EPILOGUE == 3) {
    put(row, column / (2 * PAIR) * PAIR + column % PAIR, activate(x) * y);
    return;
  }
  if (EPILOGUE == 2) {
    x = activate(x);
    y = activate(y);
  }
  if (EPILOGUE == 5 && column < Q_WIDTH) {
    x *= Q_SCALE;
    y *= Q_SCALE;
  }
  if (EPILOGUE == 4 && column < ROTATED) {
    let angle = column % HEAD_DIM / (2 * PAIR) * PAIR + column % PAIR;
    let cosine = rope[(positions[row] * HEAD_DIM + angle) / 4];
    let sine = rope[(positions[row] * HEAD_DIM + HEAD_DIM / 2 + angle) / 4];
    let scale = select(1.0, Q_SCALE, column < Q_WIDTH);
    let rotated = x * cosine - y * sine;
    y = (y * cosine + x * sine) * scale;
    x = rotated * scale;
  }
  put(row, column, x);
  if (column + PAIR < N) { put(row, column + PAIR, y); }
}
