// GEMM design `int8` (appended to gemm.wgsl): tiled as in gemm_workgroup.wgsl, but multiplies integers: a comes from quantize_rows.wgsl, w is q8.
// The sums over a group of 32 along K are exact integers; each is multiplied by the two groups' scales and added to f32 sums.

@group(0) @binding(7) var<storage, read> a_scales: array<f32>; // [M, K / 32]

const UNROLL: u32 = 8; // how many words of the inner loop to write out

const COLUMN_THREADS = TILE_N / 8;
const THREADS = COLUMN_THREADS * TILE_M / 8;
const WORDS = 8u; // per group, 4 integers each
const A_STRIDE = TILE_M / 4 + 1;
const W_STRIDE = TILE_N / 4 + 1;

var<workgroup> a_tile: array<vec4<u32>, WORDS * A_STRIDE>; // [word, row]
var<workgroup> w_tile: array<vec4<u32>, WORDS * W_STRIDE>; // [word, column]
var<workgroup> a_scale: array<vec4<f32>, THREADS>; // TILE_M / 4 of them count; the compiler proves `thread` to be inside
var<workgroup> w_scale: array<vec4<f32>, THREADS>;

fn dots(x: u32, w: vec4<u32>) -> vec4<i32> {
  return vec4(dot4I8Packed(x, w.x), dot4I8Packed(x, w.y), dot4I8Packed(x, w.z), dot4I8Packed(x, w.w));
}

// Integer sums start at the bits of the f32 1.5 * 2^23: their bits, read as f32, are then exactly 1.5 * 2^23 + sum. This avoids conversions
// from i32 to f32, which are slow on some GPUs.
const FROM: i32 = 0x4b400000;

fn number(sum: vec4<i32>) -> vec4<f32> {
  return bitcast<vec4<f32>>(sum) - 12582912.0;
}

fn transposed(x: vec4<u32>, y: vec4<u32>, z: vec4<u32>, u: vec4<u32>) -> array<vec4<u32>, 4> {
  return array(vec4(x.x, y.x, z.x, u.x), vec4(x.y, y.y, z.y, u.y), vec4(x.z, y.z, z.z, u.z), vec4(x.w, y.w, z.w, u.w));
}

fn words(row: u32, k16: u32) -> vec4<u32> {
  return w[min(row, N - 1) * (K / 16) + k16];
}

fn scale_a(row: u32, k32: u32) -> f32 {
  return a_scales[row * (K / 32) + k32];
}

fn scale_w(row: u32, k32: u32) -> f32 {
  let at = min(row, N - 1) * (K / 32) + k32;
  return unpack2x16float(w_scales[at / 2] >> (at % 2 * 16)).x;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let tile_row = group.y * TILE_M;
  let tile_column = group.x * TILE_N;
  let row4 = thread / COLUMN_THREADS * 2; // in vec4s, within the tile
  let run = thread % COLUMN_THREADS;
  let column4 = run / (PAIR / 4) * (PAIR / 2) + run % (PAIR / 4); // run_column4(run), whose result has no bounds that the compiler knows
  let other = THREADS - 1 - thread; // different threads load w and a
  let a_at = (tile_row + thread / 2 * 4) * (K / 16) + thread % 2; // 4 rows × 4 words per thread
  let a_to = thread % 2 * 4 * A_STRIDE + thread / 2 % (TILE_M / 4); // the last % for the compiler only: it proves a_to to be inside
  let w_row = tile_column + other / 2 * 4;
  let w_to = other % 2 * 4 * W_STRIDE + other / 2 % (TILE_N / 4);

  var s0 = vec4<f32>(); var s1 = s0; var s2 = s0; var s3 = s0; var s4 = s0; var s5 = s0; var s6 = s0; var s7 = s0; // 8 rows, first run
  var t0 = s0; var t1 = s0; var t2 = s0; var t3 = s0; var t4 = s0; var t5 = s0; var t6 = s0; var t7 = s0; // second run
  for (var k32 = 0u; k32 < K / 32; k32++) {
    workgroupBarrier();
    if (thread < TILE_M / 2) {
      let at = a_at + k32 * 2;
      let r = transposed(a[at], a[at + K / 16], a[at + 2 * (K / 16)], a[at + 3 * (K / 16)]);
      a_tile[a_to] = r[0]; a_tile[a_to + A_STRIDE] = r[1]; a_tile[a_to + 2 * A_STRIDE] = r[2]; a_tile[a_to + 3 * A_STRIDE] = r[3];
    }
    if (other < TILE_N / 2) {
      let at = k32 * 2 + other % 2;
      let r = transposed(words(w_row, at), words(w_row + 1, at), words(w_row + 2, at), words(w_row + 3, at));
      w_tile[w_to] = r[0]; w_tile[w_to + W_STRIDE] = r[1]; w_tile[w_to + 2 * W_STRIDE] = r[2]; w_tile[w_to + 3 * W_STRIDE] = r[3];
    }
    if (thread < TILE_M / 4) {
      let row = tile_row + thread * 4;
      a_scale[thread] = vec4(scale_a(row, k32), scale_a(row + 1, k32), scale_a(row + 2, k32), scale_a(row + 3, k32));
    }
    if (other < TILE_N / 4) {
      let row = tile_column + other * 4;
      w_scale[other] = vec4(scale_w(row, k32), scale_w(row + 1, k32), scale_w(row + 2, k32), scale_w(row + 3, k32));
    }
    workgroupBarrier();
    var i0 = vec4<i32>(FROM); var i1 = i0; var i2 = i0; var i3 = i0; var i4 = i0; var i5 = i0; var i6 = i0; var i7 = i0;
    var j0 = i0; var j1 = i0; var j2 = i0; var j3 = i0; var j4 = i0; var j5 = i0; var j6 = i0; var j7 = i0;
    for (var word_unroll = 0u; word_unroll < WORDS; word_unroll++) {
      let a0 = a_tile[word_unroll * A_STRIDE + row4];
      let a1 = a_tile[word_unroll * A_STRIDE + row4 + 1];
      let w0 = w_tile[word_unroll * W_STRIDE + column4];
      let w1 = w_tile[word_unroll * W_STRIDE + column4 + PAIR / 4];
      i0 += dots(a0.x, w0); j0 += dots(a0.x, w1);
      i1 += dots(a0.y, w0); j1 += dots(a0.y, w1);
      i2 += dots(a0.z, w0); j2 += dots(a0.z, w1);
      i3 += dots(a0.w, w0); j3 += dots(a0.w, w1);
      i4 += dots(a1.x, w0); j4 += dots(a1.x, w1);
      i5 += dots(a1.y, w0); j5 += dots(a1.y, w1);
      i6 += dots(a1.z, w0); j6 += dots(a1.z, w1);
      i7 += dots(a1.w, w0); j7 += dots(a1.w, w1);
    }
    let x = w_scale[column4];
    let y = w_scale[column4 + PAIR / 4];
    let p = a_scale[row4];
    let q = a_scale[row4 + 1];
    s0 = fma(p.x * x, number(i0), s0); t0 = fma(p.x * y, number(j0), t0);
    s1 = fma(p.y * x, number(i1), s1); t1 = fma(p.y * y, number(j1), t1);
    s2 = fma(p.z * x, number(i2), s2); t2 = fma(p.z * y, number(j2), t2);
    s3 = fma(p.w * x, number(i3), s3); t3 = fma(p.w * y, number(j3), t3);
    s4 = fma(q.x * x, number(i4), s4); t4 = fma(q.x * y, number(j4), t4);
    s5 = fma(q.y * x, number(i5), s5); t5 = fma(q.y * y, number(j5), t5);
    s6 = fma(q.z * x, number(i6), s6); t6 = fma(q.z * y, number(j6), t6);
    s7 = fma(q.w * x, number(i7), s7); t7 = fma(q.w * y, number(j7), t7);
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
