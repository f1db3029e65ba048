// L2 normalisation in place, as torch.nn.functional.normalize: embeddings[row] /= max(|embeddings[row]|, 1e-12), over the first COLUMNS numbers
// of the row. One workgroup per row. Squares that overflow make the row NaN, by their bits: compilers may take it that floats are finite. 1 / inf
// would make it zeros, which are the right answer for a row of zeros only.

const STRIDE: u32 = 256;
const COLUMNS: u32 = 256;

@group(0) @binding(0) var<storage, read_write> embeddings: array<f32>; // [rows, STRIDE]

const THREADS: u32 = 64;
var<workgroup> partial: array<f32, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let base = group.x * STRIDE;
  var squares = 0.0;
  for (var c = thread; c < COLUMNS; c += THREADS) { squares += embeddings[base + c] * embeddings[base + c]; }
  partial[thread] = squares;
  workgroupBarrier();
  for (var half = THREADS / 2; half > 0; half /= 2) {
    if (thread < half) { partial[thread] += partial[(thread + half) % THREADS]; }
    workgroupBarrier();
  }
  let bits = bitcast<u32>(partial[0]) & 0x7fffffffu;
  let scale = select(1.0 / max(sqrt(partial[0]), 1e-12), bitcast<f32>(bits | 0x7fc00000u), bits >= 0x7f800000u);
  for (var c = thread; c < COLUMNS; c += THREADS) { embeddings[base + c] *= scale; }
}
