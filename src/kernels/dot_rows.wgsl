// scores[row, number * OTHERS + other] = rows[row] · others[other] + bias[other]. Rows beyond those that count are zero. One workgroup per
// row and other.

const COLUMNS: u32 = 256;
const OTHERS: u32 = 8;
const STRIDE: u32 = 8; // numbers per row of scores
const HAS_BIAS: bool = false;

@group(0) @binding(0) var<storage, read> rows: array<f32>; // [rows, COLUMNS]
@group(0) @binding(1) var<storage, read> others: array<f32>; // [OTHERS, COLUMNS]
@group(0) @binding(2) var<storage, read> bias: array<f32>; // [OTHERS]
@group(0) @binding(3) var<storage, read> number: array<f32>; // [1]
@group(0) @binding(4) var<storage, read> spans: array<u32>; // three numbers for each row that counts
@group(0) @binding(5) var<storage, read_write> scores: array<f32>; // [rows, STRIDE]

var<workgroup> partial: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  var sum = 0.0;
  if (3 * group.x < arrayLength(&spans)) {
    for (var c = thread; c < COLUMNS; c += 64u) { sum += rows[group.x * COLUMNS + c] * others[group.y * COLUMNS + c]; }
  }
  partial[thread] = sum;
  workgroupBarrier();
  for (var half = 32u; half > 0; half /= 2u) {
    if (thread < half) { partial[thread] += partial[(thread + half) % 64]; }
    workgroupBarrier();
  }
  if (thread > 0) { return; }
  var score = partial[0];
  if (HAS_BIAS && 3 * group.x < arrayLength(&spans)) { score += bias[group.y]; }
  scores[group.x * STRIDE + u32(number[0]) * OTHERS + group.y] = score;
}
