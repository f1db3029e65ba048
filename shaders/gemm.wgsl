// out[M, N] = epilogue(a[M, K] · w[N, K]ᵀ + bias). One workgroup computes a TILE_M × TILE_N tile, one thread 8 × 8 of it: 8 rows by
// two runs of 4 columns, PAIR columns apart. RoPE's rotation partners and GeGLU's value and gate lie PAIR columns apart too (the
// weights' rows are laid out so at load), so that every epilogue finds what it combines in one thread.
// Rows of a and out are padded to TILE_M, K to TILE_K with zeros, N to 8; no bounds are checked but the weights' last tile.

alias a_t = f32;        // storage of a
alias w_t = vec4<u32>;  // four weights: vec4<u32> holds f32, vec2<u32> packed f16
alias out_t = f32;      // storage of out
const W_LANES: u32 = 4; // components of w_t
const K: u32 = 256;
const N: u32 = 256;
const TILE_M: u32 = 64;
const TILE_N: u32 = 64;
const TILE_K: u32 = 16;
const PAIR: u32 = 32;
const UNROLL: u32 = 16; // steps of the inner loop that are written out
const HAS_BIAS: bool = false;
const EPILOGUE: u32 = 0; // 0 store, 1 add to out (residual), 2 activation, 3 GeGLU (N / 2 columns out), 4 RoPE on q and k, scale on q
const ACTIVATION: u32 = 0; // 0 gelu (erf), 1 gelu_pytorch_tanh, 2 silu, 3 relu
const HIDDEN: u32 = 256; // RoPE: columns of q, of k and of v
const HEAD_DIM: u32 = 64;
const Q_SCALE: f32 = 0.125;
const OUT_STRIDE: u32 = 256; // columns of a row of out
const OUT_COLUMN: u32 = 0; // where column 0 goes
const OUT_MAX: f32 = 0.0; // f16 out: larger magnitudes are clamped to this

@group(0) @binding(0) var<storage, read> a: array<vec4<a_t>>; // [M, K]
@group(0) @binding(1) var<storage, read> w: array<w_t>; // [N, K]
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>; // [N]
@group(0) @binding(3) var<storage, read> positions: array<u32>; // [M]
@group(0) @binding(4) var<storage, read> rope: array<vec4<f32>>; // [positions, HEAD_DIM]: cosines, then sines, of HEAD_DIM / 2 angles
@group(0) @binding(5) var<storage, read_write> out: array<vec4<out_t>>; // [M, OUT_STRIDE]

const COLUMN_THREADS = TILE_N / 8;
const THREADS = COLUMN_THREADS * TILE_M / 8;
const A_STRIDE = TILE_M / 4 + 1; // one vec4 of padding spreads the transposed stores over the banks
const W_STRIDE = TILE_N / 4 + 1;
const K_BLOCKS = TILE_K / 4;
const A_BLOCKS = TILE_M / 4 * K_BLOCKS; // 4 × 4 blocks, which a thread each loads and transposes
const W_BLOCKS = TILE_N / 4 * K_BLOCKS;

var<workgroup> a_tile: array<vec4<f32>, TILE_K * A_STRIDE>; // [k, row]
var<workgroup> w_tile: array<vec4<f32>, TILE_K * W_STRIDE>; // [k, column]

fn load_a(row: u32, k4: u32) -> vec4<f32> {
  return vec4<f32>(a[row * (K / 4) + k4]);
}

fn load_w(row: u32, k4: u32) -> vec4<f32> {
  let v = w[min(row, N - 1) * (K / 4) + k4];
  if (W_LANES == 2) {
    return vec4(unpack2x16float(v.x), unpack2x16float(v.y));
  }
  return bitcast<vec4<f32>>(vec4(v.x, v.y, v[W_LANES - 2], v[W_LANES - 1]));
}

fn erf(x: vec4<f32>) -> vec4<f32> { // Abramowitz and Stegun 7.1.26, |error| < 1.5e-7
  let t = 1.0 / (1.0 + 0.3275911 * abs(x));
  let p = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return sign(x) * (1.0 - p * exp(-x * x));
}

fn activate(x: vec4<f32>) -> vec4<f32> {
  if (ACTIVATION == 1) {
    return x / (1.0 + exp(-1.5957691216057308 * (x + 0.044715 * x * x * x))); // x (1 + tanh(y)) / 2 = x sigmoid(2y)
  }
  if (ACTIVATION == 2) { return x / (1.0 + exp(-x)); }
  if (ACTIVATION == 3) { return max(x, vec4(0.0)); }
  return 0.5 * x * (1.0 + erf(x * 0.7071067811865476));
}

fn put(row: u32, column: u32, value: vec4<f32>) {
  let at = (row * OUT_STRIDE + OUT_COLUMN + column) / 4;
  if (EPILOGUE == 1) { out[at] += vec4<out_t>(value); return; }
  if (OUT_MAX > 0.0) { out[at] = vec4<out_t>(clamp(value, vec4(-OUT_MAX), vec4(OUT_MAX))); return; }
  out[at] = vec4<out_t>(value);
}

fn finish(row: u32, column: u32, first: vec4<f32>, second: vec4<f32>) { // columns column.. and column + PAIR..
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
  if (EPILOGUE == 4 && column < 2 * HIDDEN) {
    let angle = column % HEAD_DIM / (2 * PAIR) * PAIR + column % PAIR;
    let cosine = rope[(positions[row] * HEAD_DIM + angle) / 4];
    let sine = rope[(positions[row] * HEAD_DIM + HEAD_DIM / 2 + angle) / 4];
    let scale = select(1.0, Q_SCALE, column < HIDDEN);
    let rotated = x * cosine - y * sine;
    y = (y * cosine + x * sine) * scale;
    x = rotated * scale;
  }
  put(row, column, x);
  if (column + PAIR < N) { put(row, column + PAIR, y); }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let tile_row = group.y * TILE_M;
  let tile_column = group.x * TILE_N;
  let row4 = thread / COLUMN_THREADS * 2; // in vec4s, within the tile
  let column4 = thread % COLUMN_THREADS / (PAIR / 4) * (PAIR / 2) + thread % COLUMN_THREADS % (PAIR / 4);
  let w_thread = THREADS - 1 - thread; // where there are more threads than blocks, others load w than a
  let a_row = tile_row + thread / K_BLOCKS * 4;
  let w_row = tile_column + w_thread / K_BLOCKS * 4;
  let a_to = thread % K_BLOCKS * 4 * A_STRIDE + thread / K_BLOCKS;
  let w_to = w_thread % K_BLOCKS * 4 * W_STRIDE + w_thread / K_BLOCKS;

  var s0 = vec4<f32>(); var s1 = s0; var s2 = s0; var s3 = s0; var s4 = s0; var s5 = s0; var s6 = s0; var s7 = s0; // 8 rows, first run
  var t0 = s0; var t1 = s0; var t2 = s0; var t3 = s0; var t4 = s0; var t5 = s0; var t6 = s0; var t7 = s0; // second run
  for (var k4 = 0u; k4 < K / 4; k4 += K_BLOCKS) {
    workgroupBarrier();
    if (thread < A_BLOCKS) {
      let k = k4 + thread % K_BLOCKS;
      let r = transpose(mat4x4(load_a(a_row, k), load_a(a_row + 1, k), load_a(a_row + 2, k), load_a(a_row + 3, k)));
      a_tile[a_to] = r[0]; a_tile[a_to + A_STRIDE] = r[1]; a_tile[a_to + 2 * A_STRIDE] = r[2]; a_tile[a_to + 3 * A_STRIDE] = r[3];
    }
    if (w_thread < W_BLOCKS) {
      let k = k4 + w_thread % K_BLOCKS;
      let r = transpose(mat4x4(load_w(w_row, k), load_w(w_row + 1, k), load_w(w_row + 2, k), load_w(w_row + 3, k)));
      w_tile[w_to] = r[0]; w_tile[w_to + W_STRIDE] = r[1]; w_tile[w_to + 2 * W_STRIDE] = r[2]; w_tile[w_to + 3 * W_STRIDE] = r[3];
    }
    workgroupBarrier();
    var a_at = row4;
    var w_at = column4;
    for (var k_unroll = 0u; k_unroll < TILE_K; k_unroll++) {
      let a0 = a_tile[a_at];
      let a1 = a_tile[a_at + 1];
      let w0 = w_tile[w_at];
      let w1 = w_tile[w_at + PAIR / 4];
      a_at += A_STRIDE;
      w_at += W_STRIDE;
      s0 = fma(a0.xxxx, w0, s0); t0 = fma(a0.xxxx, w1, t0);
      s1 = fma(a0.yyyy, w0, s1); t1 = fma(a0.yyyy, w1, t1);
      s2 = fma(a0.zzzz, w0, s2); t2 = fma(a0.zzzz, w1, t2);
      s3 = fma(a0.wwww, w0, s3); t3 = fma(a0.wwww, w1, t3);
      s4 = fma(a1.xxxx, w0, s4); t4 = fma(a1.xxxx, w1, t4);
      s5 = fma(a1.yyyy, w0, s5); t5 = fma(a1.yyyy, w1, t5);
      s6 = fma(a1.zzzz, w0, s6); t6 = fma(a1.zzzz, w1, t6);
      s7 = fma(a1.wwww, w0, s7); t7 = fma(a1.wwww, w1, t7);
    }
  }
  let row = tile_row + row4 * 4;
  let column = tile_column + column4 * 4;
  finish(row, column, s0, t0);
  finish(row + 1, column, s1, t1);
  finish(row + 2, column, s2, t2);
  finish(row + 3, column, s3, t3);
  finish(row + 4, column, s4, t4);
  finish(row + 5, column, s5, t5);
  finish(row + 6, column, s6, t6);
  finish(row + 7, column, s7, t7);
}
