// The k largest logits of each row, largest first (equal ones: lowest id first), with their softmax probabilities over the whole row. One workgroup
// per row. Each thread keeps the best logit of its own stripe; each round takes the best of all threads, and only the thread that had it
// searches its stripe again. k follows from the size of the bound part of `best`.

const VOCAB: u32 = 16384;
const STRIDE: u32 = 16384; // columns of a row of logits

@group(0) @binding(0) var<storage, read> logits: array<f32>; // [rows, STRIDE]
@group(0) @binding(1) var<storage, read_write> best: array<vec2<u32>>; // [rows, k]: (token id, bits of the f32 probability)

const THREADS: u32 = 256;
const LOWEST: f32 = -3.4028234e38;
var<workgroup> values: array<f32, THREADS>;
var<workgroup> ids: array<u32, THREADS>;

fn above(value: f32, id: u32, other: f32, other_id: u32) -> bool {
  return value > other || (value == other && id < other_id);
}

// The best entry of a thread's stripe that ranks below (value, id).
fn next(base: u32, thread: u32, value: f32, id: u32) -> vec2<u32> {
  var best_value = LOWEST;
  var best_id = 0xffffffffu;
  for (var i = thread; i < VOCAB; i += THREADS) {
    let v = logits[base + i];
    if (above(value, id, v, i) && above(v, i, best_value, best_id)) {
      best_value = v;
      best_id = i;
    }
  }
  return vec2(bitcast<u32>(best_value), best_id);
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) rows: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let k = arrayLength(&best) / rows.x;
  let base = group.x * STRIDE;
  var mine = next(base, thread, 3.4028234e38, 0u);
  var row_max = 0.0;
  var row_sum = 0.0;
  for (var round = 0u; round < k; round++) {
    values[thread] = bitcast<f32>(mine.x);
    ids[thread] = mine.y;
    workgroupBarrier();
    for (var half = THREADS / 2; half > 0; half /= 2) {
      let other = (thread + half) % THREADS;
      if (thread < half && above(values[other], ids[other], values[thread], ids[thread])) {
        values[thread] = values[other];
        ids[thread] = ids[other];
      }
      workgroupBarrier();
    }
    let value = values[0];
    let id = ids[0];
    workgroupBarrier();
    if (round == 0) { // the largest logit is known now: compute the softmax denominator
      row_max = value;
      var sum = 0.0;
      for (var i = thread; i < VOCAB; i += THREADS) {
        let v = logits[base + i];
        let isNan = (bitcast<u32>(v) & 0x7fffffff) > 0x7f800000; // exp may drop it
        sum += select(exp(v - row_max), v, isNan);
      }
      values[thread] = sum;
      workgroupBarrier();
      for (var half = THREADS / 2; half > 0; half /= 2) {
        if (thread < half) { values[thread] += values[(thread + half) % THREADS]; }
        workgroupBarrier();
      }
      row_sum = values[0];
      workgroupBarrier();
    }
    if (thread == 0) { best[group.x * k + round] = vec2(id, bitcast<u32>(exp(value - row_max) / row_sum)); }
    if (mine.y == id) { mine = next(base, thread, value, id); }
  }
}
