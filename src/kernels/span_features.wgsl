// features[row] = starts[row] + ends[row + width - 1], through a ReLU if RELU: what a span of `width` rows is scored by. A span that goes
// beyond the last row has zeros. One thread per number.

const COLUMNS: u32 = 256;
const RELU: bool = true;

@group(0) @binding(0) var<storage, read> starts: array<f32>; // [rows, COLUMNS]
@group(0) @binding(1) var<storage, read> ends: array<f32>; // [rows, COLUMNS]
@group(0) @binding(2) var<storage, read> number: array<f32>; // [1]: width - 1
@group(0) @binding(3) var<storage, read_write> features: array<f32>; // [rows, COLUMNS]

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let column = group.y * 64 + thread;
  if (column >= COLUMNS) { return; }
  let end = group.x + u32(number[0]);
  var sum = 0.0;
  if (end < groups.x) {
    sum = starts[group.x * COLUMNS + column] + ends[end * COLUMNS + column];
    if (RELU) { sum = max(sum, 0.0); }
  }
  features[group.x * COLUMNS + column] = sum;
}
