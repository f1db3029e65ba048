// Attention design `workgroup` (appended to attention.wgsl): flash attention in workgroup memory, ROWS query rows per workgroup and KEYS keys
// per step. A step computes scores = q kᵀ (4 rows × 4 keys per thread), rescales the outputs if a row's maximum rose, stores the probabilities
// over the keys' tile and adds probabilities · v to the outputs (4 rows × 8 dimensions per thread).
// Threads form a grid: ACROSS threads cover the keys, then the head dimensions; ROWS / 4 cover the query rows. If 8 ACROSS dimensions are not
// the whole head, the third dimension of the dispatch covers its slices, and each slice computes its own scores.

const ROWS: u32 = 32; // these defaults fit the 16 KiB of workgroup memory that every device has
const ACROSS: u32 = 4;
const UNROLL: u32 = 16; // how many steps of the two inner loops to write out

const KEYS = ACROSS * 4; // per step; a thread's four keys are ACROSS apart, so that neighbouring threads store probabilities to different banks
const V_KEYS = 16u; // values held at a time: half a step of them, so that 64 rows fit 32 KiB and a GPU core can hold one more workgroup
const THREADS = ACROSS * ROWS / 4;
const SLICE4 = ACROSS * 2; // vec4s of the head that a workgroup outputs
const ROWS4 = ROWS / 4;
const P_STRIDE = ROWS4 + 1; // the padding spreads stores over the banks
const SLACK: f32 = 8; // log2 of how much a probability may exceed 1: factors up to 2^8 cost an f32 sum no precision

var<workgroup> q_tile: array<vec4<f32>, HEAD_DIM * ROWS4>; // [dim, row]
var<workgroup> kp_tile: array<vec4<f32>, max(HEAD_DIM * ACROSS, KEYS * P_STRIDE)>; // keys [dim, key], then probabilities [key, row]
var<workgroup> v_tile: array<vec4<f32>, V_KEYS * SLICE4>; // [key, dimension of the slice]
var<workgroup> exchange: array<vec4<f32>, THREADS>; // [thread across, rows]: maxima; at the end, sums
var<workgroup> raised: array<atomic<u32>, ROWS4>; // [rows]: end of the last step in which the scale of any of the four rows rose

// Loads four rows, `apart` rows from one to the next, by four dimensions and transposes them: column i is dimension 4 dim4 + i of the rows.
fn load_transposed(part: u32, head: u32, row: u32, apart: u32, last: u32, dim4: u32) -> mat4x4<f32> {
  return transpose(mat4x4(
    load(part, head, min(row, last), dim4), load(part, head, min(row + apart, last), dim4),
    load(part, head, min(row + 2 * apart, last), dim4), load(part, head, min(row + 3 * apart, last), dim4)));
}

fn load_values(thread: u32, head: u32, slice: u32, from_key: u32, last: u32) {
  let x = thread % SLICE4;
  let y = thread / SLICE4 % (THREADS / SLICE4); // the second % tells the compiler what a parameter cannot: how many threads there are
  for (var turn = 0u; turn < V_KEYS * SLICE4 / THREADS; turn++) {
    let key = turn * (THREADS / SLICE4) + y;
    v_tile[key * SLICE4 + x] = load(2, head, min(from_key + key, last), slice * SLICE4 + x);
  }
}

fn mask(scores: vec4<f32>, key: u32, low: vec4<u32>, high: vec4<u32>) -> vec4<f32> {
  return select(vec4(MASKED), scores, (vec4(key) >= low) & (vec4(key) < high));
}

fn put(at: u32, inside: bool, first: vec4<f32>, second: vec4<f32>) {
  if (inside) {
    out[at] = vec4<act_t>(first);
    out[at + ACROSS] = vec4<act_t>(second);
  }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let tile = tiles[group.x];
  let head = group.y;
  let x = thread % ACROSS;
  let y = thread / ACROSS;
  let row = tile.x + y * 4;
  let seen0 = visible(row, tile.y);
  let seen1 = visible(row + 1, tile.y);
  let seen2 = visible(row + 2, tile.y);
  let seen3 = visible(row + 3, tile.y);
  let low = vec4(seen0.x, seen1.x, seen2.x, seen3.x);
  let high = vec4(seen0.y, seen1.y, seen2.y, seen3.y);
  // All four rows see every key in all_from .. all_to: a step within them needs no mask.
  let all_from = max(max(low.x, low.y), max(low.z, low.w));
  let all_to = min(min(high.x, high.y), min(high.z, high.w));

  // Pairs of threads load 32 contiguous bytes of a row; pairs of pairs store side by side.
  for (var turn = 0u; turn < ROWS4 * DIM4 / THREADS; turn++) {
    let block = turn * THREADS + thread;
    let d = block / (2 * ROWS4) * 2 + block % 2;
    let r = block / 2 % ROWS4;
    let q = load_transposed(0, head, tile.x + r * 4, 1, tile.y - 1, d);
    let at = d * 4 * ROWS4 + r;
    q_tile[at] = q[0]; q_tile[at + ROWS4] = q[1]; q_tile[at + 2 * ROWS4] = q[2]; q_tile[at + 3 * ROWS4] = q[3];
  }

  // `scale` is subtracted in the exponents of the four rows. It is a row's largest score as of when scale last rose. It rises only if a
  // score exceeds it by more than SLACK, which is rare after the first step; only then do threads need each other's maxima.
  var scale = vec4<f32>();
  var limit = vec4(UNSET);
  var sums = vec4<f32>(); // the four rows' probabilities, summed over this thread's keys
  var o0 = vec4<f32>(); var o1 = o0; var o2 = o0; var o3 = o0; // outputs of the four rows, dimensions 4 x ..
  var u0 = o0; var u1 = o0; var u2 = o0; var u3 = o0; // dimensions 4 (x + ACROSS) ..
  for (var k0 = tile.z; k0 < tile.w; k0 += KEYS) {
    workgroupBarrier();
    for (var turn = 0u; turn < ACROSS * DIM4 / THREADS; turn++) {
      let block = turn * THREADS + thread;
      let d = block / (2 * ACROSS) * 2 + block % 2;
      let r = block / 2 % ACROSS;
      let k = load_transposed(1, head, k0 + r, ACROSS, tile.w - 1, d);
      let at = d * 4 * ACROSS + r;
      kp_tile[at] = k[0]; kp_tile[at + ACROSS] = k[1]; kp_tile[at + 2 * ACROSS] = k[2]; kp_tile[at + 3 * ACROSS] = k[3];
    }
    load_values(thread, head, group.z, k0, tile.w - 1);
    workgroupBarrier();
    var s0 = -scale; var s1 = s0; var s2 = s0; var s3 = s0; // per key, the scores of the four rows minus scale
    for (var d_unroll = 0u; d_unroll < HEAD_DIM; d_unroll++) {
      let q = q_tile[d_unroll * ROWS4 + y];
      let k = kp_tile[d_unroll * ACROSS + x];
      s3 = fma(k.wwww, q, s3);
      s2 = fma(k.zzzz, q, s2);
      s1 = fma(k.yyyy, q, s1);
      s0 = fma(k.xxxx, q, s0);
    }
    if (REACH > 0) {
      let rows = vec4(row) + vec4(0, 1, 2, 3);
      s0 += bias(head, rows, vec4(k0 + x)); s1 += bias(head, rows, vec4(k0 + x + ACROSS));
      s2 += bias(head, rows, vec4(k0 + x + 2 * ACROSS)); s3 += bias(head, rows, vec4(k0 + x + 3 * ACROSS));
    }
    if (k0 < all_from || k0 + KEYS > all_to) {
      s0 = mask(s0, k0 + x, low, high); s1 = mask(s1, k0 + x + ACROSS, low, high);
      s2 = mask(s2, k0 + x + 2 * ACROSS, low, high); s3 = mask(s3, k0 + x + 3 * ACROSS, low, high);
    }
    let largest = max(max(s0, s1), max(s2, s3));
    exchange[x * ROWS4 + y] = largest;
    if (any(largest > limit)) { atomicStore(&raised[y], k0 + KEYS); }
    workgroupBarrier();
    if (atomicLoad(&raised[y]) == k0 + KEYS) {
      var row_max = largest;
      for (var i = 0u; i < ACROSS; i++) { row_max = max(row_max, exchange[i * ROWS4 + y]); }
      let rise = select(vec4(0.0), row_max, row_max > limit);
      limit = select(limit, vec4(SLACK), row_max > limit);
      scale += rise;
      s0 -= rise; s1 -= rise; s2 -= rise; s3 -= rise;
      let shrink = exp2(-max(rise, vec4(0.0)));
      sums *= shrink;
      o0 *= shrink.x; o1 *= shrink.y; o2 *= shrink.z; o3 *= shrink.w;
      u0 *= shrink.x; u1 *= shrink.y; u2 *= shrink.z; u3 *= shrink.w;
    }
    s0 = exp2(s0); s1 = exp2(s1); s2 = exp2(s2); s3 = exp2(s3);
    sums += (s0 + s1) + (s2 + s3);
    let p_to = x * P_STRIDE + y;
    kp_tile[p_to] = s0; kp_tile[p_to + ACROSS * P_STRIDE] = s1;
    kp_tile[p_to + 2 * ACROSS * P_STRIDE] = s2; kp_tile[p_to + 3 * ACROSS * P_STRIDE] = s3;
    for (var part = 0u; part < KEYS / V_KEYS; part++) {
      if (part > 0) {
        workgroupBarrier();
        load_values(thread, head, group.z, k0 + part * V_KEYS, tile.w - 1);
      }
      workgroupBarrier();
      for (var key_unroll = 0u; key_unroll < V_KEYS; key_unroll++) {
        let p4 = kp_tile[(part * V_KEYS + key_unroll) * P_STRIDE + y];
        let v0 = v_tile[key_unroll * SLICE4 + x];
        let v1 = v_tile[key_unroll * SLICE4 + x + ACROSS];
        o0 = fma(p4.xxxx, v0, o0); u0 = fma(p4.xxxx, v1, u0);
        o1 = fma(p4.yyyy, v0, o1); u1 = fma(p4.yyyy, v1, u1);
        o2 = fma(p4.zzzz, v0, o2); u2 = fma(p4.zzzz, v1, u2);
        o3 = fma(p4.wwww, v0, o3); u3 = fma(p4.wwww, v1, u3);
      }
    }
  }

  workgroupBarrier();
  exchange[x * ROWS4 + y] = sums;
  workgroupBarrier();
  sums = vec4<f32>();
  for (var i = 0u; i < ACROSS; i++) { sums += exchange[i * ROWS4 + y]; }
  let share = 1.0 / sums;
  let at = (row * HEADS + head) * DIM4 + group.z * SLICE4 + x;
  put(at, row < tile.y, o0 * share.x, u0 * share.x);
  put(at + HEADS * DIM4, row + 1 < tile.y, o1 * share.y, u1 * share.y);
  put(at + 2 * HEADS * DIM4, row + 2 < tile.y, o2 * share.z, u2 * share.z);
  put(at + 3 * HEADS * DIM4, row + 3 < tile.y, o3 * share.w, u3 * share.w);
}
