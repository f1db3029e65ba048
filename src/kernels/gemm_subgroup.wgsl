// GEMM design `subgroup` (appended to gemm.wgsl), for software adapters, where a subgroup is one vector register of the CPU. A workgroup computes
// 16 × TILE_N of out, each thread 8 columns of all 16 rows. Loading from addresses that differ between threads costs such an adapter a loop over
// the threads, and workgroup memory is no cheaper, so each load must serve many FMAs: a thread's weights are used for all 16 rows, and
// elements of a are broadcast from the thread that loaded their row.

enable subgroups;

const LANES: u32 = 8; // threads of every subgroup: 4, 8 or 16

const THREADS = TILE_N / 8;

fn add(sum: vec4<f32>, a: vec4<f32>, w: mat4x4<f32>) -> vec4<f32> { // sum + a · w; w: [k, column]
  return fma(a.wwww, w[3], fma(a.zzzz, w[2], fma(a.yyyy, w[1], fma(a.xxxx, w[0], sum))));
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let row = group.y * TILE_M;
  let column = group.x * TILE_N + run_column4(thread) * 4;
  var s: array<vec4<f32>, 16>; // 16 rows, first run
  var t: array<vec4<f32>, 16>; // second run
  for (var k = 0u; k < K / 4; k++) {
    let x = w_block(column, k);
    let y = w_block(column + PAIR, k);
    // a[j] holds rows 4 j .. 4 j + 4, from lane 4 j % LANES on. With more than 4 lanes some entries are equal; compilers load those once.
    var a: array<vec4<f32>, 4>;
    for (var j_unroll = 0u; j_unroll < 4; j_unroll++) { a[j_unroll] = load_a(row + 4 * j_unroll / LANES * LANES + lane, k); }
    for (var i_unroll = 0u; i_unroll < 16; i_unroll++) {
      let r = subgroupBroadcast(a[i_unroll / 4], i_unroll % LANES);
      s[i_unroll] = add(s[i_unroll], r, x);
      t[i_unroll] = add(t[i_unroll], r, y);
    }
  }
  // Every row passes through index 0: with the epilogue written out 16 times, these compilers take many seconds.
  for (var r = row; r < row + TILE_M; r++) {
    finish(r, column, s[0], t[0]);
    for (var i_unroll = 0u; i_unroll < 15; i_unroll++) {
      s[i_unroll] = s[i_unroll + 1];
      t[i_unroll] = t[i_unroll + 1];
    }
  }
}
