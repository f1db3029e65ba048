// scores[row, head, n] = a[row, head] · b[n, head]: products of each head of a matrix of many rows with the same head of one of few, such as queries
// with DeBERTa's relative positions. A workgroup computes 64 rows by 64 columns of one head, four by four per thread. Rows of a, b and scores are
// padded to 64.

alias act_t = f32; // storage type of all three; tiles and sums are f32
const HEADS: u32 = 4;
const HEAD_DIM: u32 = 64; // a multiple of 32
const COLUMNS: u32 = 512; // rows of b, padded to 64
const A_STRIDE: u32 = 768; // columns of a row of a
const A_COLUMN: u32 = 0; // the column at which its heads begin
const B_STRIDE: u32 = 512;
const B_COLUMN: u32 = 256;

@group(0) @binding(0) var<storage, read> a: array<vec4<act_t>>; // [rows, A_STRIDE]
@group(0) @binding(1) var<storage, read> b: array<vec4<act_t>>; // [COLUMNS, B_STRIDE]
@group(0) @binding(2) var<storage, read_write> scores: array<vec4<act_t>>; // [rows, HEADS, COLUMNS]

const THREADS = 256;
const K_STEP = 32u; // dimensions at a time; the tiles then fill the 16 KiB of workgroup memory that every device has
const BLOCKS = 16 * K_STEP / 4; // 4 × 4 blocks of a tile
var<workgroup> a_tile: array<vec4<f32>, K_STEP * 16>; // [dimension, four rows]
var<workgroup> b_tile: array<vec4<f32>, K_STEP * 16>; // [dimension, four columns]

fn a_block(row: u32, k4: u32) -> mat4x4<f32> {
  let at = row * (A_STRIDE / 4) + A_COLUMN / 4 + k4;
  return transpose(mat4x4(
    vec4<f32>(a[at]), vec4<f32>(a[at + A_STRIDE / 4]), vec4<f32>(a[at + A_STRIDE / 2]), vec4<f32>(a[at + 3 * A_STRIDE / 4])));
}

fn b_block(row: u32, k4: u32) -> mat4x4<f32> {
  let at = row * (B_STRIDE / 4) + B_COLUMN / 4 + k4;
  return transpose(mat4x4(
    vec4<f32>(b[at]), vec4<f32>(b[at + B_STRIDE / 4]), vec4<f32>(b[at + B_STRIDE / 2]), vec4<f32>(b[at + 3 * B_STRIDE / 4])));
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let head = group.z;
  let x = thread % 16;
  let y = thread / 16 % 16; // the % tells the compiler what a parameter cannot: how many threads there are
  let block = thread % BLOCKS; // half of the threads load a, half b
  let r4 = block / (K_STEP / 4);
  let k4 = block % (K_STEP / 4);
  var s0 = vec4<f32>(); var s1 = s0; var s2 = s0; var s3 = s0; // four rows by four columns
  for (var step = 0u; step < HEAD_DIM / K_STEP; step++) {
    let d4 = (head * HEAD_DIM + step * K_STEP) / 4 + k4;
    let to = k4 * 64 + r4;
    workgroupBarrier();
    if (thread < BLOCKS) {
      let m = a_block(group.y * 64 + r4 * 4, d4);
      a_tile[to] = m[0]; a_tile[to + 16] = m[1]; a_tile[to + 32] = m[2]; a_tile[to + 48] = m[3];
    } else {
      let m = b_block(group.x * 64 + r4 * 4, d4);
      b_tile[to] = m[0]; b_tile[to + 16] = m[1]; b_tile[to + 32] = m[2]; b_tile[to + 48] = m[3];
    }
    workgroupBarrier();
    for (var k = 0u; k < K_STEP; k++) {
      let p = a_tile[k * 16 + y];
      let q = b_tile[k * 16 + x];
      s0 = fma(p.xxxx, q, s0); s1 = fma(p.yyyy, q, s1); s2 = fma(p.zzzz, q, s2); s3 = fma(p.wwww, q, s3);
    }
  }
  let row = group.y * 64 + y * 4;
  let at = (row * HEADS + head) * (COLUMNS / 4) + group.x * 16 + x;
  scores[at] = vec4<act_t>(s0);
  scores[at + HEADS * COLUMNS / 4] = vec4<act_t>(s1);
  scores[at + HEADS * COLUMNS / 2] = vec4<act_t>(s2);
  scores[at + 3 * HEADS * COLUMNS / 4] = vec4<act_t>(s3);
}
