// Flash attention over the unpadded stream: out[i] = softmax(q[i] · kᵀ) v over the keys that row i may see. A workgroup takes one
// tile of the work list and one head; scores exist a KEYS-wide step at a time (online softmax, base 2: q carries log2 e).
// Every row has the bounds of the keys it may see: its sequence's for global layers, its window's within the sequence for window
// layers. So several short sequences can share a tile, and a window layer's tiles visit only the keys that their rows' windows touch.
// Threads form a grid: ACROSS over keys (4 each) and over head dimensions (8 each), ROWS / 4 over query rows (4 each). Where
// 8 ACROSS dimensions are not the whole head, the grid's third dimension goes over slices of it, each with its own scores.

alias act_t = f32; // storage of qkv, of out and of the tiles in workgroup memory; products and sums are f32
const HEADS: u32 = 4;
const HEAD_DIM: u32 = 64; // a multiple of 32
const ROWS: u32 = 16; // with these, it fits the 16 KiB of workgroup memory that every device has
const ACROSS: u32 = 4;
const UNROLL: u32 = 16; // steps of the two inner loops that are written out

@group(0) @binding(0) var<storage, read> qkv: array<vec4<act_t>>; // [tokens, 3, HEADS, HEAD_DIM]
@group(0) @binding(1) var<storage, read> tiles: array<vec4<u32>>; // (q_start, q_end, k_start, k_end), in stream rows
@group(0) @binding(2) var<storage, read> bounds: array<vec2<u32>>; // [tokens]: (first, end) of the keys that the row sees
@group(0) @binding(3) var<storage, read_write> out: array<vec4<act_t>>; // [tokens, HEADS, HEAD_DIM]

const KEYS = ACROSS * 4;
const THREADS = ACROSS * ROWS / 4;
const DIM4 = HEAD_DIM / 4;
const SLICE4 = ACROSS * 2; // vec4s of the head that a workgroup gives out
const Q_STRIDE = ROWS / 4 + 1; // padding spreads the transposed stores over the banks
const K_STRIDE = ACROSS + 1;
const MASKED: f32 = -1e30; // finite, so that no inf - inf can arise

var<workgroup> q_tile: array<vec4<act_t>, HEAD_DIM * Q_STRIDE>; // [dim, row]
var<workgroup> kp_tile: array<vec4<act_t>, max(HEAD_DIM * K_STRIDE, KEYS * Q_STRIDE)>; // keys [dim, key], then probabilities [key, row]
var<workgroup> v_tile: array<vec4<act_t>, KEYS * SLICE4>; // [key, dim of the slice]
var<workgroup> exchange: array<vec4<f32>, THREADS>; // [thread across, rows]: maxima, at the end sums

fn load(part: u32, head: u32, row: u32, dim4: u32) -> vec4<act_t> {
  return qkv[((row * 3 + part) * HEADS + head) * DIM4 + dim4];
}

// Four rows by four dimensions, transposed: column i of the result is dimension 4 dim4 + i of the rows.
fn load_transposed(part: u32, head: u32, row: u32, last: u32, dim4: u32) -> mat4x4<act_t> {
  return transpose(mat4x4(
    load(part, head, min(row, last), dim4), load(part, head, min(row + 1, last), dim4),
    load(part, head, min(row + 2, last), dim4), load(part, head, min(row + 3, last), dim4)));
}

fn visible(row: u32, q_end: u32) -> vec2<u32> {
  return select(vec2(0u), bounds[row], row < q_end);
}

fn mask(scores: vec4<f32>, keys: vec4<u32>, seen: vec2<u32>) -> vec4<f32> {
  return select(vec4(MASKED), scores, (keys >= seen.xxxx) & (keys < seen.yyyy));
}

fn put(at: u32, inside: bool, first: vec4<f32>, second: vec4<f32>) {
  if (inside) {
    out[at] = vec4<act_t>(first);
    out[at + ACROSS] = vec4<act_t>(second);
  }
}

fn max4(v: vec4<f32>) -> f32 { return max(max(v.x, v.y), max(v.z, v.w)); }
fn sum4(v: vec4<f32>) -> f32 { return (v.x + v.y) + (v.z + v.w); }

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

  for (var block = thread; block < ROWS / 4 * DIM4; block += THREADS) {
    let d = block % DIM4;
    let r = block / DIM4;
    let q = load_transposed(0, head, tile.x + r * 4, tile.y - 1, d);
    let at = d * 4 * Q_STRIDE + r;
    q_tile[at] = q[0]; q_tile[at + Q_STRIDE] = q[1]; q_tile[at + 2 * Q_STRIDE] = q[2]; q_tile[at + 3 * Q_STRIDE] = q[3];
  }

  var running_max = vec4(MASKED); // of the four rows, over all threads
  var sums = vec4<f32>(); // of the four rows, over this thread's keys
  var o0 = vec4<f32>(); var o1 = o0; var o2 = o0; var o3 = o0; // outputs of the four rows, dimensions 4 x ..
  var u0 = o0; var u1 = o0; var u2 = o0; var u3 = o0; // dimensions 4 (x + ACROSS) ..
  for (var k0 = tile.z; k0 < tile.w; k0 += KEYS) {
    workgroupBarrier();
    for (var block = thread; block < ACROSS * DIM4; block += THREADS) {
      let d = block % DIM4;
      let r = block / DIM4;
      let k = load_transposed(1, head, k0 + r * 4, tile.w - 1, d);
      let at = d * 4 * K_STRIDE + r;
      kp_tile[at] = k[0]; kp_tile[at + K_STRIDE] = k[1]; kp_tile[at + 2 * K_STRIDE] = k[2]; kp_tile[at + 3 * K_STRIDE] = k[3];
    }
    for (var at = thread; at < KEYS * SLICE4; at += THREADS) {
      v_tile[at] = load(2, head, min(k0 + at / SLICE4, tile.w - 1), group.z * SLICE4 + at % SLICE4);
    }
    workgroupBarrier();
    var s0 = vec4<f32>(); var s1 = s0; var s2 = s0; var s3 = s0; // scores of four rows and four keys
    var q_at = y;
    var k_at = x;
    for (var d_unroll = 0u; d_unroll < HEAD_DIM; d_unroll++) {
      let q = vec4<f32>(q_tile[q_at]);
      let k = vec4<f32>(kp_tile[k_at]);
      q_at += Q_STRIDE;
      k_at += K_STRIDE;
      s0 = fma(q.xxxx, k, s0);
      s1 = fma(q.yyyy, k, s1);
      s2 = fma(q.zzzz, k, s2);
      s3 = fma(q.wwww, k, s3);
    }
    let keys = vec4(k0 + x * 4) + vec4(0, 1, 2, 3);
    s0 = mask(s0, keys, seen0); s1 = mask(s1, keys, seen1); s2 = mask(s2, keys, seen2); s3 = mask(s3, keys, seen3);
    exchange[x * ROWS / 4 + y] = vec4(max4(s0), max4(s1), max4(s2), max4(s3));
    workgroupBarrier();
    var new_max = running_max;
    for (var i = 0u; i < ACROSS; i++) { new_max = max(new_max, exchange[i * ROWS / 4 + y]); }
    let shrink = exp2(running_max - new_max);
    running_max = new_max;
    s0 = exp2(s0 - new_max.x); s1 = exp2(s1 - new_max.y); s2 = exp2(s2 - new_max.z); s3 = exp2(s3 - new_max.w);
    sums = sums * shrink + vec4(sum4(s0), sum4(s1), sum4(s2), sum4(s3));
    let p = transpose(mat4x4(s0, s1, s2, s3));
    let p_to = x * 4 * Q_STRIDE + y;
    kp_tile[p_to] = vec4<act_t>(p[0]); kp_tile[p_to + Q_STRIDE] = vec4<act_t>(p[1]);
    kp_tile[p_to + 2 * Q_STRIDE] = vec4<act_t>(p[2]); kp_tile[p_to + 3 * Q_STRIDE] = vec4<act_t>(p[3]);
    o0 *= shrink.x; o1 *= shrink.y; o2 *= shrink.z; o3 *= shrink.w;
    u0 *= shrink.x; u1 *= shrink.y; u2 *= shrink.z; u3 *= shrink.w;
    workgroupBarrier();
    var p_at = y;
    var v_at = x;
    for (var key_unroll = 0u; key_unroll < KEYS; key_unroll++) {
      let p4 = vec4<f32>(kp_tile[p_at]);
      let v0 = vec4<f32>(v_tile[v_at]);
      let v1 = vec4<f32>(v_tile[v_at + ACROSS]);
      p_at += Q_STRIDE;
      v_at += SLICE4;
      o0 = fma(p4.xxxx, v0, o0); u0 = fma(p4.xxxx, v1, u0);
      o1 = fma(p4.yyyy, v0, o1); u1 = fma(p4.yyyy, v1, u1);
      o2 = fma(p4.zzzz, v0, o2); u2 = fma(p4.zzzz, v1, u2);
      o3 = fma(p4.wwww, v0, o3); u3 = fma(p4.wwww, v1, u3);
    }
  }

  workgroupBarrier();
  exchange[x * ROWS / 4 + y] = sums;
  workgroupBarrier();
  sums = vec4<f32>();
  for (var i = 0u; i < ACROSS; i++) { sums += exchange[i * ROWS / 4 + y]; }
  let scale = 1.0 / sums;
  let at = (row * HEADS + head) * DIM4 + group.z * SLICE4 + x;
  put(at, row < tile.y, o0 * scale.x, u0 * scale.x);
  put(at + HEADS * DIM4, row + 1 < tile.y, o1 * scale.y, u1 * scale.y);
  put(at + 2 * HEADS * DIM4, row + 2 < tile.y, o2 * scale.z, u2 * scale.z);
  put(at + 3 * HEADS * DIM4, row + 3 < tile.y, o3 * scale.w, u3 * scale.w);
}
