// pooled[i] = mean of the rows of span i (one sequence of the stream), or its first row when CLS. A workgroup takes one sequence and 16 vec4 columns;
// its 16 lanes along the rows each sum every 16th row.

const STRIDE: u32 = 256;
const CLS: bool = false;

@group(0) @binding(0) var<storage, read> hidden_states: array<vec4<f32>>; // [tokens, STRIDE]
@group(0) @binding(1) var<storage, read> spans: array<vec2<u32>>; // [sequences]: (start, end), in stream rows
@group(0) @binding(2) var<storage, read_write> pooled: array<vec4<f32>>; // [sequences, STRIDE]

const COLUMNS: u32 = 16;
const LANES: u32 = 16;
const VECS = STRIDE / 4;
var<workgroup> partial: array<vec4<f32>, COLUMNS * LANES>;

@compute @workgroup_size(COLUMNS, LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let start = spans[group.x].x;
  let length = spans[group.x].y - start;
  let column = group.y * COLUMNS + local.x;
  let rows = select(length, 1u, CLS);
  var sum = vec4<f32>();
  if (column < VECS) {
    for (var row = local.y; row < rows; row += LANES) { sum += hidden_states[(start + row) * VECS + column]; }
  }
  partial[local.y * COLUMNS + local.x] = sum;
  workgroupBarrier();
  if (local.y == 0 && column < VECS) {
    for (var lane = 1u; lane < LANES; lane++) { sum += partial[lane * COLUMNS + local.x]; }
    pooled[group.x * VECS + column] = sum / f32(rows);
  }
}
