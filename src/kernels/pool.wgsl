// pooled[i] = one vector for the rows of span i (one sequence of the stream), by sentence-transformers' pooling modes. A workgroup takes one
// sequence and 16 vec4 columns; each of its 16 lanes along the rows takes every 16th row. Rows before `first` (a prompt) do not count.

const STRIDE: u32 = 256;
const OUT_STRIDE: u32 = 256;
const OUT_COLUMN: u32 = 0; // the column of pooled that column 0 goes to: several modes can stand side by side
const COLUMNS: u32 = 256; // columns that are pooled, at most STRIDE
const OUT_COLUMNS: u32 = 256; // columns of pooled that are written: zeros after the pooled ones
const MODE: u32 = 2; // 0 cls, 1 max, 2 mean, 3 mean_sqrt_len_tokens, 4 weightedmean (by position in the sequence, from 1), 5 lasttoken

struct Span { start: u32, first: u32, end: u32, } // stream rows: the sequence is start .. end, of which first .. end is pooled

@group(0) @binding(0) var<storage, read> hidden_states: array<vec4<f32>>; // [tokens, STRIDE]
@group(0) @binding(1) var<storage, read> spans: array<Span>; // [sequences]
@group(0) @binding(2) var<storage, read_write> pooled: array<f32>; // [sequences, OUT_STRIDE]

const GROUPS: u32 = 16;
const LANES: u32 = 16;
const VECS = STRIDE / 4;
const LEAST = -3.4e38;
var<workgroup> partial: array<vec4<f32>, GROUPS * LANES>;

// By their bits: compilers may take it that floats are never NaN.
fn isNan(a: vec4<f32>) -> vec4<bool> { return (bitcast<vec4<u32>>(a) & vec4(0x7fffffffu)) > vec4(0x7f800000u); }

fn combine(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  if (MODE == 1) { return select(max(a, b), a + b, isNan(a) | isNan(b)); } // max alone may drop a NaN
  return a + b;
}

@compute @workgroup_size(GROUPS, LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let span = spans[group.x];
  let first = select(span.first, span.end - 1, MODE == 5);
  let end = select(span.end, span.first + 1, MODE == 0);
  let column = group.y * GROUPS + local.x;
  var best = vec4(select(0.0, LEAST, MODE == 1));
  if (column < VECS) {
    for (var row = first + local.y; row < end; row += LANES) {
      let weight = select(1.0, f32(row - span.start + 1), MODE == 4);
      best = combine(best, weight * hidden_states[row * VECS + column]);
    }
  }
  partial[local.y * GROUPS + local.x] = best;
  workgroupBarrier();
  if (local.y == 0) {
    for (var lane = 1u; lane < LANES; lane++) { best = combine(best, partial[lane * GROUPS + local.x]); }
    let rows = f32(end - first);
    var divisor = rows;
    if (MODE == 1) { divisor = 1.0; }
    if (MODE == 4) { divisor = rows * (f32(first - span.start) + (rows + 1.0) / 2.0); } // the sum of the weights
    if (MODE == 3) { divisor = sqrt(rows); }
    let means = best / divisor;
    for (var i = 0u; i < 4; i++) {
      let c = column * 4 + i;
      if (c < OUT_COLUMNS) { pooled[group.x * OUT_STRIDE + OUT_COLUMN + c] = select(0.0, means[i], c < COLUMNS); }
    }
  }
}
