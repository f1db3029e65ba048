// Attention design `subgroup` (appended to attention.wgsl), for software adapters: gemm_subgroup.wgsl says what makes them fast. A workgroup is
// one subgroup and computes 16 query rows, KEYS keys per step: scores = q kᵀ, online softmax, out += probabilities · v. There is no workgroup
// memory: each key or value that a thread loads is used for all 16 rows, which are broadcast from the threads that hold them.

enable subgroups;

const LANES: u32 = 8; // threads of every subgroup: 4, 8 or 16

const KEYS = LANES * 4; // keys per step; each thread scores four adjacent ones
const SLICE4 = LANES * 2; // vec4s of the head that a workgroup outputs, two per thread
const HAS_SECOND = DIM4 > LANES; // whether the second is ever needed

fn load_keys(part: u32, head: u32, key: u32, last: u32, dim4: u32) -> mat4x4<f32> { // four keys or values
  return mat4x4(
    load(part, head, min(key, last), dim4), load(part, head, min(key + 1, last), dim4),
    load(part, head, min(key + 2, last), dim4), load(part, head, min(key + 3, last), dim4));
}

fn add(sum: vec4<f32>, a: vec4<f32>, w: mat4x4<f32>) -> vec4<f32> { // sum + a · w
  return fma(a.wwww, w[3], fma(a.zzzz, w[2], fma(a.yyyy, w[1], fma(a.xxxx, w[0], sum))));
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let tile = tiles[group.x];
  let head = group.y;
  let x4 = group.z * SLICE4 + lane;
  let y4 = x4 + LANES;
  let q_last = tile.y - 1;
  let k_last = tile.w - 1;
  var o: array<vec4<f32>, 16>; // outputs of the rows, dimensions 4 x4 ..
  var u: array<vec4<f32>, 16>; // dimensions 4 y4 ..
  var sums: array<vec4<f32>, 16>; // sums of the rows' probabilities over this thread's keys
  var scale: array<f32, 16>; // the rows' largest scores so far, subtracted in the exponents
  for (var i_unroll = 0u; i_unroll < 16; i_unroll++) { scale[i_unroll] = UNSET; }
  for (var k0 = tile.z; k0 < tile.w; k0 += KEYS) {
    let keys = vec4(k0 + lane * 4) + vec4(0, 1, 2, 3);
    // The rows' scores for this thread's keys. The explicit value matters: without it, SPIR-V compilers zero s once, not in every iteration.
    var s = array<vec4<f32>, 16>();
    for (var d = 0u; d < DIM4; d++) {
      let k = transpose(load_keys(1, head, keys.x, k_last, d));
      var a: array<vec4<f32>, 4>; // as in gemm_subgroup.wgsl
      for (var j_unroll = 0u; j_unroll < 4; j_unroll++) {
        a[j_unroll] = load(0, head, min(tile.x + 4 * j_unroll / LANES * LANES + lane, q_last), d);
      }
      for (var i_unroll = 0u; i_unroll < 16; i_unroll++) {
        s[i_unroll] = add(s[i_unroll], subgroupBroadcast(a[i_unroll / 4], i_unroll % LANES), k);
      }
    }
    // Every row passes through index 0: rotating these arrays keeps this code from being written out 16 times.
    var shrinks: array<f32, 16>; // what the rows' sums and outputs so far are multiplied by
    for (var row = tile.x; row < tile.x + 16; row++) {
      let seen = visible(row, tile.y);
      var score = s[0];
      if (REACH > 0) { score += bias(head, vec4(row), keys); }
      score = select(vec4(MASKED), score, (keys >= vec4(seen.x)) & (keys < vec4(seen.y)));
      let top = max(scale[0], subgroupMax(max(max(score.x, score.y), max(score.z, score.w))));
      let shrink = exp2(scale[0] - top);
      let p = exp2(score - top);
      for (var i_unroll = 0u; i_unroll < 15; i_unroll++) {
        s[i_unroll] = s[i_unroll + 1];
        scale[i_unroll] = scale[i_unroll + 1];
        shrinks[i_unroll] = shrinks[i_unroll + 1];
      }
      s[15] = p; scale[15] = top; shrinks[15] = shrink;
    }
    for (var i_unroll = 0u; i_unroll < 16; i_unroll++) {
      sums[i_unroll] = fma(sums[i_unroll], vec4(shrinks[i_unroll]), s[i_unroll]);
      o[i_unroll] *= shrinks[i_unroll];
      if (HAS_SECOND) { u[i_unroll] *= shrinks[i_unroll]; }
    }
    for (var owner = 0u; owner < min(LANES, (tile.w - k0 + 3) / 4); owner++) { // the thread that holds the probabilities of these four keys
      let v = load_keys(2, head, k0 + owner * 4, k_last, min(x4, DIM4 - 1));
      var w = v;
      if (HAS_SECOND) { w = load_keys(2, head, k0 + owner * 4, k_last, min(y4, DIM4 - 1)); }
      for (var i_unroll = 0u; i_unroll < 16; i_unroll++) {
        let p = subgroupShuffle(s[i_unroll], owner);
        o[i_unroll] = add(o[i_unroll], p, v);
        if (HAS_SECOND) { u[i_unroll] = add(u[i_unroll], p, w); }
      }
    }
  }
  for (var row = tile.x; row < tile.y; row++) {
    let share = 1.0 / subgroupAdd((sums[0].x + sums[0].y) + (sums[0].z + sums[0].w));
    let at = (row * HEADS + head) * DIM4;
    if (x4 < DIM4) { out[at + x4] = vec4<act_t>(o[0] * share); }
    if (y4 < DIM4) { out[at + y4] = vec4<act_t>(u[0] * share); }
    for (var i_unroll = 0u; i_unroll < 15; i_unroll++) {
      sums[i_unroll] = sums[i_unroll + 1];
      o[i_unroll] = o[i_unroll + 1];
      u[i_unroll] = u[i_unroll + 1];
    }
  }
}
