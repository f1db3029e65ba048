// pooled[i] = the largest (or the sum) of log(1 + relu(logits)) over the rows of span i (one sequence), SPLADE's weights; with TWICE the logarithm
// is taken once more. A workgroup takes one sequence and 16 vec4 columns; each of its 16 lanes along the rows takes every 16th row.

const STRIDE: u32 = 1024;
const SUM: bool = false; // else the largest
const TWICE: bool = false;

struct Span { start: u32, first: u32, end: u32, } // as pool.wgsl has it

@group(0) @binding(0) var<storage, read> logits: array<vec4<f32>>; // [tokens, STRIDE]
@group(0) @binding(1) var<storage, read> spans: array<Span>; // [sequences]
@group(0) @binding(2) var<storage, read_write> pooled: array<vec4<f32>>; // [sequences, STRIDE]

const COLUMNS: u32 = 16;
const LANES: u32 = 16;
const VECS = STRIDE / 4;
var<workgroup> partial: array<vec4<f32>, COLUMNS * LANES>;

// NaN, infinite or next to it: these must stay visible. By their bits: compilers may take it that floats are never NaN.
fn isBad(x: vec4<f32>) -> vec4<bool> { return (bitcast<vec4<u32>>(x) & vec4(0x7fffffffu)) > vec4(0x7f61b1e6u); } // 3e38

// log(1 + x) of x >= 0. Next to 0, where 1 + x loses x, by its series.
fn log1p(x: vec4<f32>) -> vec4<f32> {
  let series = x * (1.0 - x * (0.5 - x * (1.0 / 3.0 - x * 0.25)));
  return select(select(log(1.0 + x), series, x < vec4(0.0078125)), x, isBad(x));
}

fn weight(logit: vec4<f32>) -> vec4<f32> {
  let once = log1p(select(max(logit, vec4(0.0)), logit, isBad(logit)));
  if (TWICE) { return log1p(once); }
  return once;
}

fn combine(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  if (SUM) { return a + b; }
  return select(max(a, b), a + b, isBad(a) | isBad(b)); // max alone may drop a NaN
}

@compute @workgroup_size(COLUMNS, LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let span = spans[group.x];
  let column = group.y * COLUMNS + local.x;
  var best = vec4(0.0); // which is relu, too
  if (column < VECS) {
    for (var row = span.first + local.y; row < span.end; row += LANES) {
      let logit = logits[row * VECS + column];
      if (SUM) { best += weight(logit); } else { best = combine(best, logit); } // the logarithm keeps the order
    }
  }
  let own = local.y * COLUMNS + local.x;
  partial[own] = best;
  workgroupBarrier();
  for (var half = LANES / 2; half > 0; half /= 2) { // as a tree: fewer roundings of a large sum than one by one
    if (local.y < half) { partial[own] = combine(partial[own], partial[(own + half * COLUMNS) % (COLUMNS * LANES)]); }
    workgroupBarrier();
  }
  if (local.y == 0 && column < VECS) {
    best = partial[own];
    if (!SUM) { best = weight(best); }
    pooled[group.x * VECS + column] = best;
  }
}
