// sum[row] = (FIRST ? 0 : sum[row]) + w * rows[row] over the first COLUMNS numbers of each row: a residual (w = 1), or one term of a weighted
// mean, w = weights[INDEX] / the sum of all weights. One thread per number.

const STRIDE: u32 = 256;
const SUM_STRIDE: u32 = 256;
const COLUMNS: u32 = 256;
const FIRST: bool = false;
const WEIGHTS: u32 = 0; // how many weights there are; 0: w is 1
const INDEX: u32 = 0;

@group(0) @binding(0) var<storage, read> rows: array<f32>; // [rows, STRIDE]
@group(0) @binding(1) var<storage, read> weights: array<f32>; // [WEIGHTS]
@group(0) @binding(2) var<storage, read_write> sum: array<f32>; // [rows, SUM_STRIDE]

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let column = group.y * 64 + thread;
  if (column >= COLUMNS) { return; }
  var w = 1.0;
  if (WEIGHTS > 0) {
    var all = 0.0;
    for (var i = 0u; i < WEIGHTS; i++) { all += weights[i]; }
    w = weights[INDEX] / all;
  }
  let at = group.x * SUM_STRIDE + column;
  let term = w * rows[group.x * STRIDE + column];
  if (FIRST) { sum[at] = term; } else { sum[at] += term; }
}
