// GEMM design `sliced_k` (appended to gemm.wgsl): tiled as in gemm_workgroup.wgsl, but for so few rows that such tiles would not fill a GPU. The 256
// threads form slices. Each slice computes the whole tile over its share of K: SLICE_K of the TILE_K in every step. At the end the sums of the
// slices are added up, in the order of the slices. A thread computes 4 rows by two runs of 4 columns. Needs no device feature.

const UNROLL: u32 = 8; // how many steps of the inner loop to write out

const COLUMN_THREADS = TILE_N / 8;
const SLICE_THREADS = COLUMN_THREADS * TILE_M / 4;
const THREADS = 256u;
const SLICES = THREADS / SLICE_THREADS; // at least 4: tiles of up to 2048 sums
const SLICE_K = TILE_K / SLICES;
const A_STRIDE = TILE_M / 4 + 1; // the padding spreads the transposed stores over the banks
const W_STRIDE = TILE_N / 4 + 1;
const K_BLOCKS = TILE_K / 4;
const A_BLOCKS = TILE_M / 4 * K_BLOCKS; // 4 × 4 blocks; one thread loads and transposes each
const W_BLOCKS = TILE_N / 4 * K_BLOCKS;

var<workgroup> a_tile: array<vec4<f32>, max(TILE_K * A_STRIDE, 2 * THREADS)>; // [k, row]; at the end sums of one row in turn: [run, thread]
var<workgroup> w_tile: array<vec4<f32>, TILE_K * W_STRIDE>; // [k, column]: the first runs, then the second

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let slice = thread / SLICE_THREADS;
  let own = thread % SLICE_THREADS;
  let x = own % COLUMN_THREADS;
  let y = own / COLUMN_THREADS;
  let w_thread = THREADS - 1 - thread; // different threads load w and a
  let a_row = group.y * TILE_M + thread / K_BLOCKS * 4;
  let w_column = w_thread / K_BLOCKS; // in vec4s of w_tile
  let w_row = run_column4(group.x * COLUMN_THREADS + w_column % COLUMN_THREADS) * 4 + w_column / COLUMN_THREADS * PAIR;
  let a_to = thread % K_BLOCKS * 4 * A_STRIDE + thread / K_BLOCKS % (TILE_M / 4); // the last % for the compiler only: it proves a_to to be inside
  let w_to = w_thread % K_BLOCKS * 4 * W_STRIDE + w_column % (TILE_N / 4);

  var s0 = vec4<f32>(); var s1 = s0; var s2 = s0; var s3 = s0; // 4 rows, first run
  var t0 = s0; var t1 = s0; var t2 = s0; var t3 = s0; // second run
  for (var k4 = 0u; k4 < K / 4; k4 += K_BLOCKS) {
    // Read before the barrier: a subgroup that comes to it early has its next blocks on their way.
    var a_next = mat4x4<f32>(); // zeros past the end of K, which the last step may reach
    var w_next = mat4x4<f32>();
    if (thread < A_BLOCKS && k4 + thread % K_BLOCKS < K / 4) { a_next = a_block(a_row, k4 + thread % K_BLOCKS); }
    if (w_thread < W_BLOCKS && k4 + w_thread % K_BLOCKS < K / 4) { w_next = w_block(w_row, k4 + w_thread % K_BLOCKS); }
    workgroupBarrier();
    if (thread < A_BLOCKS) {
      a_tile[a_to] = a_next[0]; a_tile[a_to + A_STRIDE] = a_next[1];
      a_tile[a_to + 2 * A_STRIDE] = a_next[2]; a_tile[a_to + 3 * A_STRIDE] = a_next[3];
    }
    if (w_thread < W_BLOCKS) {
      w_tile[w_to] = w_next[0]; w_tile[w_to + W_STRIDE] = w_next[1];
      w_tile[w_to + 2 * W_STRIDE] = w_next[2]; w_tile[w_to + 3 * W_STRIDE] = w_next[3];
    }
    workgroupBarrier();
    for (var k_unroll = 0u; k_unroll < SLICE_K; k_unroll++) {
      let k = slice * SLICE_K + k_unroll;
      let r = a_tile[k * A_STRIDE + y];
      let w0 = w_tile[k * W_STRIDE + x];
      let w1 = w_tile[k * W_STRIDE + x + COLUMN_THREADS];
      s0 = fma(r.xxxx, w0, s0); t0 = fma(r.xxxx, w1, t0);
      s1 = fma(r.yyyy, w0, s1); t1 = fma(r.yyyy, w1, t1);
      s2 = fma(r.zzzz, w0, s2); t2 = fma(r.zzzz, w1, t2);
      s3 = fma(r.wwww, w0, s3); t3 = fma(r.wwww, w1, t3);
    }
  }
  var x0 = vec4<f32>(); // slice i gets the sums of row i
  var y0 = x0;
  for (var row = 0u; row < 4; row++) {
    workgroupBarrier();
    a_tile[thread] = s0; s0 = s1; s1 = s2; s2 = s3; // every row passes through s0 and t0
    a_tile[thread + THREADS] = t0; t0 = t1; t1 = t2; t2 = t3;
    workgroupBarrier();
    if (slice == row) {
      for (var i = 0u; i < SLICES; i++) {
        x0 += a_tile[i * SLICE_THREADS + own];
        y0 += a_tile[i * SLICE_THREADS + own + THREADS];
      }
    }
  }
  let column = run_column4(group.x * COLUMN_THREADS + x) * 4;
  if (slice < 4) { finish(group.y * TILE_M + y * 4 + slice, column, x0, y0); }
}
