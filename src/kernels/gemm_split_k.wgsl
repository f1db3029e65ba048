// GEMM design `split_k` (appended to gemm.wgsl): a workgroup computes TILE_M = 8 rows × 8 columns. Its threads split K among them, each sums its
// share for all 64 outputs, and the partial sums are added up at the end. For a handful of rows: there, whole tiles would be too few to fill a
// GPU, and each would walk K one step after another.

const THREADS = 64u;
const PARTS = 4u; // threads that add up the sums of one run

var<workgroup> sums: array<vec4<f32>, 16 * THREADS>; // [8 rows × 2 runs, thread]: 16 KiB

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = group.y * TILE_M;
  let column = run_column4(group.x) * 4;
  let second = column + PAIR;
  var s0 = vec4<f32>(); var s1 = s0; var s2 = s0; var s3 = s0; var s4 = s0; var s5 = s0; var s6 = s0; var s7 = s0; // 8 rows, first run
  var t0 = s0; var t1 = s0; var t2 = s0; var t3 = s0; var t4 = s0; var t5 = s0; var t6 = s0; var t7 = s0; // second run
  for (var k = thread; k < K / 4; k += THREADS) {
    let x = w_block(column, k);
    let y = w_block(second, k);
    let a0 = load_a(row, k);     s0 += x * a0; t0 += y * a0;
    let a1 = load_a(row + 1, k); s1 += x * a1; t1 += y * a1;
    let a2 = load_a(row + 2, k); s2 += x * a2; t2 += y * a2;
    let a3 = load_a(row + 3, k); s3 += x * a3; t3 += y * a3;
    let a4 = load_a(row + 4, k); s4 += x * a4; t4 += y * a4;
    let a5 = load_a(row + 5, k); s5 += x * a5; t5 += y * a5;
    let a6 = load_a(row + 6, k); s6 += x * a6; t6 += y * a6;
    let a7 = load_a(row + 7, k); s7 += x * a7; t7 += y * a7;
  }
  sums[thread] = s0;               sums[thread + 8 * THREADS] = t0;
  sums[thread + THREADS] = s1;     sums[thread + 9 * THREADS] = t1;
  sums[thread + 2 * THREADS] = s2; sums[thread + 10 * THREADS] = t2;
  sums[thread + 3 * THREADS] = s3; sums[thread + 11 * THREADS] = t3;
  sums[thread + 4 * THREADS] = s4; sums[thread + 12 * THREADS] = t4;
  sums[thread + 5 * THREADS] = s5; sums[thread + 13 * THREADS] = t5;
  sums[thread + 6 * THREADS] = s6; sums[thread + 14 * THREADS] = t6;
  sums[thread + 7 * THREADS] = s7; sums[thread + 15 * THREADS] = t7;
  workgroupBarrier();
  let at = thread / PARTS * THREADS + thread % PARTS;
  var sum = sums[at];
  for (var i = 1u; i < THREADS / PARTS; i++) { sum += sums[at + i * PARTS]; }
  workgroupBarrier();
  sums[thread] = sum;
  workgroupBarrier();
  if (thread < 8) {
    let first = thread * PARTS;
    let other = first + 8 * PARTS;
    finish(row + thread, column, sums[first] + sums[first + 1] + sums[first + 2] + sums[first + 3],
      sums[other] + sums[other + 1] + sums[other + 2] + sums[other + 3]);
  }
}
