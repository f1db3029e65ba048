// GEMM design `subgroup` (appended to gemm.wgsl): for processors that play GPU, whose subgroup is one vector register. A workgroup computes
// 16 × TILE_N of out, a thread 8 columns of it. What differs by thread costs such a processor a loop over its threads to load, and
// workgroup memory no less: so each load serves many FMAs. A thread's weights meet all 16 rows; rows are broadcast from the thread that loaded them.

enable subgroups;

const LANES: u32 = 8; // threads of every subgroup: 4, 8 or 16

const THREADS = TILE_N / 8;

fn add(sum: vec4<f32>, a: vec4<f32>, w: mat4x4<f32>) -> vec4<f32> { // sum + a · w, w [k, column]
  return fma(a.wwww, w[3], fma(a.zzzz, w[2], fma(a.yyyy, w[1], fma(a.xxxx, w[0], sum))));
}

fn load_columns(column: u32, k: u32) -> mat4x4<f32> {
  return transpose(mat4x4(load_w(column, k), load_w(column + 1, k), load_w(column + 2, k), load_w(column + 3, k)));
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let row = group.y * TILE_M;
  let column = group.x * TILE_N + run_column4(thread) * 4;
  var s0 = vec4<f32>(); var s1 = s0; var s2 = s0; var s3 = s0; var s4 = s0; var s5 = s0; var s6 = s0; var s7 = s0; // 16 rows, first run
  var s8 = s0; var s9 = s0; var s10 = s0; var s11 = s0; var s12 = s0; var s13 = s0; var s14 = s0; var s15 = s0;
  var t0 = s0; var t1 = s0; var t2 = s0; var t3 = s0; var t4 = s0; var t5 = s0; var t6 = s0; var t7 = s0; // second run
  var t8 = s0; var t9 = s0; var t10 = s0; var t11 = s0; var t12 = s0; var t13 = s0; var t14 = s0; var t15 = s0;
  for (var k = 0u; k < K / 4; k++) {
    let x = load_columns(column, k);
    let y = load_columns(column + PAIR, k);
    // Four rows each, in lanes 0, 4 % LANES, 8 % LANES and 12 % LANES onwards. Where two have the same rows, compilers load once.
    let a0 = load_a(row + lane, k);
    let a1 = load_a(row + 4 / LANES * LANES + lane, k);
    let a2 = load_a(row + 8 / LANES * LANES + lane, k);
    let a3 = load_a(row + 12 / LANES * LANES + lane, k);
    let r0 = subgroupBroadcast(a0, 0); s0 = add(s0, r0, x); t0 = add(t0, r0, y);
    let r1 = subgroupBroadcast(a0, 1); s1 = add(s1, r1, x); t1 = add(t1, r1, y);
    let r2 = subgroupBroadcast(a0, 2); s2 = add(s2, r2, x); t2 = add(t2, r2, y);
    let r3 = subgroupBroadcast(a0, 3); s3 = add(s3, r3, x); t3 = add(t3, r3, y);
    let r4 = subgroupBroadcast(a1, 4 % LANES); s4 = add(s4, r4, x); t4 = add(t4, r4, y);
    let r5 = subgroupBroadcast(a1, 4 % LANES + 1); s5 = add(s5, r5, x); t5 = add(t5, r5, y);
    let r6 = subgroupBroadcast(a1, 4 % LANES + 2); s6 = add(s6, r6, x); t6 = add(t6, r6, y);
    let r7 = subgroupBroadcast(a1, 4 % LANES + 3); s7 = add(s7, r7, x); t7 = add(t7, r7, y);
    let r8 = subgroupBroadcast(a2, 8 % LANES); s8 = add(s8, r8, x); t8 = add(t8, r8, y);
    let r9 = subgroupBroadcast(a2, 8 % LANES + 1); s9 = add(s9, r9, x); t9 = add(t9, r9, y);
    let r10 = subgroupBroadcast(a2, 8 % LANES + 2); s10 = add(s10, r10, x); t10 = add(t10, r10, y);
    let r11 = subgroupBroadcast(a2, 8 % LANES + 3); s11 = add(s11, r11, x); t11 = add(t11, r11, y);
    let r12 = subgroupBroadcast(a3, 12 % LANES); s12 = add(s12, r12, x); t12 = add(t12, r12, y);
    let r13 = subgroupBroadcast(a3, 12 % LANES + 1); s13 = add(s13, r13, x); t13 = add(t13, r13, y);
    let r14 = subgroupBroadcast(a3, 12 % LANES + 2); s14 = add(s14, r14, x); t14 = add(t14, r14, y);
    let r15 = subgroupBroadcast(a3, 12 % LANES + 3); s15 = add(s15, r15, x); t15 = add(t15, r15, y);
  }
  // The rows take turns at one place: written out 16 times, an epilogue takes these compilers many seconds.
  for (var r = row; r < row + TILE_M; r++) {
    finish(r, column, s0, t0);
    s0 = s1; s1 = s2; s2 = s3; s3 = s4; s4 = s5; s5 = s6; s6 = s7; s7 = s8;
    s8 = s9; s9 = s10; s10 = s11; s11 = s12; s12 = s13; s13 = s14; s14 = s15;
    t0 = t1; t1 = t2; t2 = t3; t3 = t4; t4 = t5; t5 = t6; t6 = t7; t7 = t8;
    t8 = t9; t9 = t10; t10 = t11; t11 = t12; t12 = t13; t13 = t14; t14 = t15;
  }
}
