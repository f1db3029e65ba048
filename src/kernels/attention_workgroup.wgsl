// Attention design `workgroup` (appended to attention.wgsl): flash attention as two chains of small matrix products, ROWS query rows per workgroup
// and KEYS keys per step. A step computes scores = q kᵀ, CHUNK dimensions at a time (4 rows × KEYS_PER_THREAD keys per thread), rescales the
// outputs if a row's maximum rose, and adds probabilities · v to the outputs, CHUNK keys at a time (4 rows × DIMS_PER_THREAD dimensions).
// Nothing larger than a chunk is kept in workgroup memory, and q is loaded again in each step: by the H100's timings the workgroups of one of
// NVIDIA's multiprocessors share 48 KiB (bench/NOTES.md), and with q in there only one would fit.
// Threads form a grid: ACROSS threads cover the keys, then the head dimensions; ROWS / 4 cover the query rows. If DIMS_PER_THREAD · ACROSS dimensions
// are not the whole head, the third dimension of the dispatch covers its slices, and each slice computes its own scores.

const ROWS: u32 = 32;
const ACROSS: u32 = 4; // at most CHUNK
const KEYS_PER_THREAD: u32 = 4; // or 8; they are ACROSS apart, so that neighbouring threads store probabilities to different banks
const DIMS_PER_THREAD: u32 = 8; // or 4
const UNROLL: u32 = 16; // how many steps of the two inner loops to write out

const CHUNK = 16u;
const CHUNK4 = CHUNK / 4;
const ROWS4 = ROWS / 4;
const KEYS4 = ACROSS * KEYS_PER_THREAD / 4;
const KEYS = KEYS4 * 4;
const SLICE4 = ACROSS * DIMS_PER_THREAD / 4; // vec4s of the head that a workgroup outputs
const THREADS = ACROSS * ROWS4;
const ROW_BLOCKS = ROWS4 * CHUNK4; // of 4 × 4 numbers in a chunk of q
const KEY_BLOCKS = KEYS4 * CHUNK4;
const A_STRIDE = max(ROWS4, KEYS4) + 1; // the padding spreads stores over the banks
const B_STRIDE = max(ROWS4, SLICE4) + 1;
const SLACK: f32 = 8; // log2 of how much a probability may exceed 1: factors up to 2^8 cost an f32 sum no precision

var<workgroup> a_tile: array<vec4<f32>, CHUNK * A_STRIDE>; // keys [dim, key], then probabilities [key, row]
var<workgroup> b_tile: array<vec4<f32>, CHUNK * B_STRIDE>; // q [dim, row], then values [key, dimension of the slice]
var<workgroup> exchange: array<vec4<f32>, THREADS>; // [thread across, rows]: maxima; at the end, sums
var<workgroup> raised: array<atomic<u32>, ROWS4>; // [rows]: end of the last step in which the scale of any of the four rows rose

// Loads four rows, `apart` rows from one to the next, by four dimensions and transposes them: column i is dimension 4 dim4 + i of the rows.
fn load_transposed(part: u32, head: u32, row: u32, apart: u32, last: u32, dim4: u32) -> mat4x4<f32> {
  return transpose(mat4x4(
    load(part, head, min(row, last), dim4), load(part, head, min(row + apart, last), dim4),
    load(part, head, min(row + 2 * apart, last), dim4), load(part, head, min(row + 3 * apart, last), dim4)));
}

// Matrices are scores (a column per key, of four rows) or outputs (a column per row, of four dimensions).
fn grown(sums: mat4x4<f32>, a: vec4<f32>, b: vec4<f32>) -> mat4x4<f32> {
  return mat4x4(fma(a.xxxx, b, sums[0]), fma(a.yyyy, b, sums[1]), fma(a.zzzz, b, sums[2]), fma(a.wwww, b, sums[3]));
}
fn scaled(m: mat4x4<f32>, by: vec4<f32>) -> mat4x4<f32> { return mat4x4(m[0] * by.x, m[1] * by.y, m[2] * by.z, m[3] * by.w); }
fn lowered(m: mat4x4<f32>, by: vec4<f32>) -> mat4x4<f32> { return mat4x4(m[0] - by, m[1] - by, m[2] - by, m[3] - by); }
fn powers(m: mat4x4<f32>) -> mat4x4<f32> { return mat4x4(exp2(m[0]), exp2(m[1]), exp2(m[2]), exp2(m[3])); }
fn largest(m: mat4x4<f32>) -> vec4<f32> { return max(max(m[0], m[1]), max(m[2], m[3])); }
fn total(m: mat4x4<f32>) -> vec4<f32> { return (m[0] + m[1]) + (m[2] + m[3]); }

fn biased(m: mat4x4<f32>, head: u32, row: u32, key: u32) -> mat4x4<f32> {
  let rows = vec4(row) + vec4(0, 1, 2, 3);
  return m + mat4x4(bias(head, rows, vec4(key)), bias(head, rows, vec4(key + ACROSS)),
    bias(head, rows, vec4(key + 2 * ACROSS)), bias(head, rows, vec4(key + 3 * ACROSS)));
}
fn masked(m: mat4x4<f32>, key: u32, low: vec4<u32>, high: vec4<u32>) -> mat4x4<f32> {
  return mat4x4(mask(m[0], key, low, high), mask(m[1], key + ACROSS, low, high),
    mask(m[2], key + 2 * ACROSS, low, high), mask(m[3], key + 3 * ACROSS, low, high));
}
fn mask(scores: vec4<f32>, key: u32, low: vec4<u32>, high: vec4<u32>) -> vec4<f32> {
  return select(vec4(MASKED), scores, (vec4(key) >= low) & (vec4(key) < high));
}

fn put(at: u32, inside: bool, first: vec4<f32>, second: vec4<f32>) {
  if (inside) {
    out[at] = vec4<act_t>(first);
    if (DIMS_PER_THREAD > 4) { out[at + ACROSS] = vec4<act_t>(second); }
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
  // All four rows see every key in all_from .. all_to: a step within them needs no mask. None sees a key outside of any_from .. any_to.
  let all_from = max(max(low.x, low.y), max(low.z, low.w));
  let all_to = min(min(high.x, high.y), min(high.z, high.w));
  let any_from = min(min(low.x, low.y), min(low.z, low.w));
  let any_to = max(max(high.x, high.y), max(high.z, high.w));

  // `scale` is subtracted in the exponents of the four rows. It is a row's largest score as of when scale last rose. It rises only if a
  // score exceeds it by more than SLACK, which is rare after the first step; only then do threads need each other's maxima.
  var scale = vec4<f32>();
  var limit = vec4(UNSET);
  var sums = vec4<f32>(); // the four rows' probabilities, summed over this thread's keys
  var o0 = mat4x4<f32>(); // outputs of the four rows, dimensions 4 x ..
  var o1 = o0; // dimensions 4 (x + ACROSS) ..
  for (var k0 = tile.z; k0 < tile.w; k0 += KEYS) {
    var s0 = lowered(mat4x4<f32>(), scale); // scores of the four rows minus scale: this thread's first four keys
    var s1 = s0; // the others
    for (var chunk = 0u; chunk < HEAD_DIM / CHUNK; chunk++) {
      workgroupBarrier();
      // Pairs of threads load 32 contiguous bytes of a row; pairs of pairs store side by side. The first threads load keys, the last ones q.
      for (var turn = 0u; turn < (KEY_BLOCKS + THREADS - 1) / THREADS; turn++) {
        let block = turn * THREADS + thread;
        if (KEY_BLOCKS % THREADS == 0 || block < KEY_BLOCKS) {
          let d = (block / (2 * KEYS4) * 2 + block % 2) % CHUNK4;
          let r = block / 2 % KEYS4;
          let k = load_transposed(1, head, k0 + r / ACROSS * 4 * ACROSS + r % ACROSS, ACROSS, tile.w - 1, chunk * CHUNK4 + d);
          let at = d * 4 * A_STRIDE + r;
          a_tile[at] = k[0]; a_tile[at + A_STRIDE] = k[1]; a_tile[at + 2 * A_STRIDE] = k[2]; a_tile[at + 3 * A_STRIDE] = k[3];
        }
      }
      for (var turn = 0u; turn < (ROW_BLOCKS + THREADS - 1) / THREADS; turn++) {
        let block = turn * THREADS + (THREADS - 1 - thread);
        if (ROW_BLOCKS % THREADS == 0 || block < ROW_BLOCKS) {
          let d = (block / (2 * ROWS4) * 2 + block % 2) % CHUNK4;
          let r = block / 2 % ROWS4;
          let q = load_transposed(0, head, tile.x + r * 4, 1, tile.y - 1, chunk * CHUNK4 + d);
          let at = d * 4 * B_STRIDE + r;
          b_tile[at] = q[0]; b_tile[at + B_STRIDE] = q[1]; b_tile[at + 2 * B_STRIDE] = q[2]; b_tile[at + 3 * B_STRIDE] = q[3];
        }
      }
      workgroupBarrier();
      if (k0 < any_to && k0 + KEYS > any_from) {
        for (var d_unroll = 0u; d_unroll < CHUNK; d_unroll++) {
          let q = b_tile[d_unroll * B_STRIDE + y];
          if (KEYS_PER_THREAD > 4) { s1 = grown(s1, a_tile[d_unroll * A_STRIDE + x + KEYS4 - ACROSS], q); }
          s0 = grown(s0, a_tile[d_unroll * A_STRIDE + x], q);
        }
      }
    }
    let key = k0 + x;
    if (REACH > 0) {
      s0 = biased(s0, head, row, key);
      if (KEYS_PER_THREAD > 4) { s1 = biased(s1, head, row, key + 4 * ACROSS); }
    }
    if (k0 < all_from || k0 + KEYS > all_to) {
      s0 = masked(s0, key, low, high);
      if (KEYS_PER_THREAD > 4) { s1 = masked(s1, key + 4 * ACROSS, low, high); }
    }
    var row_max = largest(s0);
    if (KEYS_PER_THREAD > 4) { row_max = max(row_max, largest(s1)); }
    exchange[x * ROWS4 + y] = row_max;
    if (any(row_max > limit)) { atomicStore(&raised[y], k0 + KEYS); }
    workgroupBarrier();
    if (atomicLoad(&raised[y]) == k0 + KEYS) {
      for (var i = 0u; i < ACROSS; i++) { row_max = max(row_max, exchange[i * ROWS4 + y]); }
      let rise = select(vec4(0.0), row_max, row_max > limit);
      limit = select(limit, vec4(SLACK), row_max > limit);
      scale += rise;
      s0 = lowered(s0, rise);
      s1 = lowered(s1, rise);
      let shrink = exp2(-max(rise, vec4(0.0)));
      sums *= shrink;
      o0 = scaled(o0, shrink);
      o1 = scaled(o1, shrink);
    }
    s0 = powers(s0);
    sums += total(s0);
    if (KEYS_PER_THREAD > 4) {
      s1 = powers(s1);
      sums += total(s1);
    }
    for (var chunk = 0u; chunk < KEYS / CHUNK; chunk++) {
      if (chunk > 0) { workgroupBarrier(); }
      let from_key = k0 + chunk * CHUNK;
      for (var i = 0u; i < CHUNK / ACROSS; i++) {
        a_tile[(i * ACROSS + x) * A_STRIDE + y] = s0[0];
        s0 = mat4x4(s0[1], s0[2], s0[3], s1[0]);
        s1 = mat4x4(s1[1], s1[2], s1[3], s1[0]);
      }
      for (var turn = 0u; turn < CHUNK * SLICE4 / THREADS; turn++) {
        let dim4 = thread % SLICE4;
        let v_key = turn * (THREADS / SLICE4) + thread / SLICE4;
        b_tile[v_key * B_STRIDE + dim4] = load(2, head, min(from_key + v_key, tile.w - 1), group.z * SLICE4 + dim4);
      }
      workgroupBarrier();
      if (from_key < any_to && from_key + CHUNK > any_from) {
        for (var key_unroll = 0u; key_unroll < CHUNK; key_unroll++) {
          let p = a_tile[key_unroll * A_STRIDE + y];
          o0 = grown(o0, p, b_tile[key_unroll * B_STRIDE + x]);
          if (DIMS_PER_THREAD > 4) { o1 = grown(o1, p, b_tile[key_unroll * B_STRIDE + x + SLICE4 - ACROSS]); }
        }
      }
    }
  }

  workgroupBarrier();
  exchange[x * ROWS4 + y] = sums;
  workgroupBarrier();
  sums = vec4<f32>();
  for (var i = 0u; i < ACROSS; i++) { sums += exchange[i * ROWS4 + y]; }
  o0 = scaled(o0, 1.0 / sums);
  o1 = scaled(o1, 1.0 / sums);
  let at = (row * HEADS + head) * DIM4 + group.z * SLICE4 + x;
  put(at, row < tile.y, o0[0], o1[0]);
  put(at + HEADS * DIM4, row + 1 < tile.y, o0[1], o1[1]);
  put(at + 2 * HEADS * DIM4, row + 2 < tile.y, o0[2], o1[2]);
  put(at + 3 * HEADS * DIM4, row + 3 < tile.y, o0[3], o1[3]);
}
