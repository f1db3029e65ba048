// GEMM design `workgroup` (appended to gemm.wgsl): the classic tiled GEMM. A workgroup computes a TILE_M × TILE_N tile of out, TILE_K steps of K
// at a time, from tiles of a and w in workgroup memory. Each thread computes 8 × 8 of it: 8 rows by two runs of 4 columns, PAIR columns apart.
// Needs no device feature.

const UNROLL: u32 = 16; // how many steps of the inner loop to write out
const EARLY: bool = false; // read a step's blocks before the barrier: more registers, but a subgroup that comes early has them on their way

const COLUMN_THREADS = TILE_N / 8;
const THREADS = COLUMN_THREADS * TILE_M / 8;
const A_STRIDE = TILE_M / 4 + 1; // one vec4 of padding spreads the transposed stores over the banks
const W_STRIDE = TILE_N / 4 + 1;
const K_BLOCKS = TILE_K / 4;
const A_BLOCKS = TILE_M / 4 * K_BLOCKS; // 4 × 4 blocks; one thread loads and transposes each
const W_BLOCKS = TILE_N / 4 * K_BLOCKS;

var<workgroup> a_tile: array<vec4<f32>, TILE_K * A_STRIDE>; // [k, row]
var<workgroup> w_tile: array<vec4<f32>, TILE_K * W_STRIDE>; // [k, column]

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let tile_row = group.y * TILE_M;
  let tile_column = group.x * TILE_N;
  let row4 = thread / COLUMN_THREADS * 2; // in vec4s, within the tile
  let run = thread % COLUMN_THREADS;
  let column4 = run / (PAIR / 4) * (PAIR / 2) + run % (PAIR / 4); // run_column4(run), whose result has no bounds that the compiler knows
  let w_thread = THREADS - 1 - thread; // if there are more threads than blocks, different threads load w and a
  let a_row = tile_row + thread / K_BLOCKS * 4;
  let w_row = tile_column + w_thread / K_BLOCKS * 4;
  let a_to = thread % K_BLOCKS * 4 * A_STRIDE + thread / K_BLOCKS % (TILE_M / 4); // the last % for the compiler only: it proves a_to to be inside
  let w_to = w_thread % K_BLOCKS * 4 * W_STRIDE + w_thread / K_BLOCKS % (TILE_N / 4);

  var s0 = vec4<f32>(); var s1 = s0; var s2 = s0; var s3 = s0; var s4 = s0; var s5 = s0; var s6 = s0; var s7 = s0; // 8 rows, first run
  var t0 = s0; var t1 = s0; var t2 = s0; var t3 = s0; var t4 = s0; var t5 = s0; var t6 = s0; var t7 = s0; // second run
  for (var k4 = 0u; k4 < K / 4; k4 += K_BLOCKS) {
    var a_next: mat4x4<f32>;
    var w_next: mat4x4<f32>;
    if (EARLY && thread < A_BLOCKS) { a_next = a_block(a_row, k4 + thread % K_BLOCKS); }
    if (EARLY && w_thread < W_BLOCKS) { w_next = w_block(w_row, k4 + w_thread % K_BLOCKS); }
    workgroupBarrier();
    if (thread < A_BLOCKS) {
      if (!EARLY) { a_next = a_block(a_row, k4 + thread % K_BLOCKS); }
      a_tile[a_to] = a_next[0]; a_tile[a_to + A_STRIDE] = a_next[1];
      a_tile[a_to + 2 * A_STRIDE] = a_next[2]; a_tile[a_to + 3 * A_STRIDE] = a_next[3];
    }
    if (w_thread < W_BLOCKS) {
      if (!EARLY) { w_next = w_block(w_row, k4 + w_thread % K_BLOCKS); }
      w_tile[w_to] = w_next[0]; w_tile[w_to + W_STRIDE] = w_next[1];
      w_tile[w_to + 2 * W_STRIDE] = w_next[2]; w_tile[w_to + 3 * W_STRIDE] = w_next[3];
    }
    workgroupBarrier();
    for (var k_unroll = 0u; k_unroll < TILE_K; k_unroll++) {
      let a0 = a_tile[k_unroll * A_STRIDE + row4];
      let a1 = a_tile[k_unroll * A_STRIDE + row4 + 1];
      let w0 = w_tile[k_unroll * W_STRIDE + column4];
      let w1 = w_tile[k_unroll * W_STRIDE + column4 + PAIR / 4];
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
