// The largest dot product of a query with each 32 rows, and the largest sum of |q · v| among them, which bounds what rounding can have changed. A
// workgroup takes 32 rows, 8 threads a row: neighbours read 128 bytes in a row, since this is bound by reading the rows once. A row is
// vec4<f32> or, of int8, 16 numbers per vec4<u32>; it is padded by zeros to whole steps. A sum of -LOWEST: it is not finite, and the score not known.

const STEPS: u32 = 3; // vec4 per thread and row
const INT8: bool = false;

@group(0) @binding(0) var<storage, read> query: array<vec4<u32>>; // [8 STEPS]
@group(0) @binding(1) var<storage, read> rows: array<vec4<u32>>; // [groups, 32, 8 STEPS]
@group(0) @binding(2) var<storage, read> scales: array<f32>; // [groups, 32]: 1 / length of int8 rows
@group(0) @binding(3) var<storage, read> allowed: array<u32>; // [groups]: a bit per row, 0 for those that are left out
@group(0) @binding(4) var<storage, read_write> largest: array<vec2<f32>>; // [groups]: (score, sum of |q · v|)

const ROWS: u32 = 32;
const LANES: u32 = 8;
const LOWEST: f32 = -3.4028234e38;
var<workgroup> scores: array<array<u32, LANES>, ROWS>; // bits: those of an int8 sum may be no number as f32
var<workgroup> sizes: array<array<f32, LANES>, ROWS>;

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) thread: vec3<u32>) {
  let lane = thread.x;
  let row = group.x * ROWS + thread.y;
  let base = row * STEPS * LANES + lane;
  var score = 0.0;
  var size = 0.0;
  var whole = 0i; // exact: 127 * 127 * dim is far below 2^31
  for (var i = 0u; i < STEPS; i++) {
    let q = query[i * LANES + lane];
    let v = rows[base + i * LANES];
    if (INT8) {
      whole += dot4I8Packed(q.x, v.x) + dot4I8Packed(q.y, v.y) + dot4I8Packed(q.z, v.z) + dot4I8Packed(q.w, v.w);
    } else {
      let a = bitcast<vec4<f32>>(q);
      let b = bitcast<vec4<f32>>(v);
      score += dot(a, b);
      size += dot(abs(a), abs(b));
    }
  }
  scores[thread.y][lane] = select(bitcast<u32>(score), bitcast<u32>(whole), INT8);
  sizes[thread.y][lane] = size;
  workgroupBarrier();
  if (lane == 0) { // a row's threads
    if (INT8) {
      whole = 0;
      for (var i = 0u; i < LANES; i++) { whole += bitcast<i32>(scores[thread.y][i]); }
      score = f32(whole) * scales[row];
      size = abs(score);
    } else {
      for (var i = 1u; i < LANES; i++) {
        score += bitcast<f32>(scores[thread.y][i]);
        size += sizes[thread.y][i];
      }
    }
    let isIn = ((allowed[group.x] >> thread.y) & 1) == 1;
    // What has overflowed or is no number: max might take it for the largest, or leave out others for it.
    let isFinite = (bitcast<u32>(size) & 0x7f800000) != 0x7f800000;
    scores[thread.y][0] = bitcast<u32>(select(LOWEST, score, isIn && isFinite));
    sizes[thread.y][0] = select(0.0, select(-LOWEST, size, isFinite), isIn);
  }
  workgroupBarrier();
  if (lane == 0 && thread.y == 0) { // the group's rows
    var most = vec2(LOWEST, 0.0);
    for (var i = 0u; i < ROWS; i++) { most = max(most, vec2(bitcast<f32>(scores[i][0]), sizes[i][0])); }
    largest[group.x] = most;
  }
}
