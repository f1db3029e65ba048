// The k largest of each row of weights >= 0 (equal ones: lowest id first), by ascending id and without zeros. One workgroup per row. k follows from
// the size of `entries`. The k-th largest is found by its bits, 8 at a time from the highest: floats that are not negative are in the order of
// their bits, and NaN comes above all of them.

const VOCAB: u32 = 16384;
const BLOCK: u32 = 1024; // columns of a block
const PIECE: u32 = 16384; // ids of a piece, which begins a block of its own

@group(0) @binding(0) var<storage, read> weights: array<u32>; // bits of f32 [blocks, rows, BLOCK]
@group(0) @binding(1) var<storage, read_write> entries: array<vec2<u32>>; // [rows, 1 + k]: (numbers that are not 0, entries), then (id, bits of the weight)

const THREADS: u32 = 256;
const BLOCKS_OF_PIECE = (PIECE + BLOCK - 1) / BLOCK;
const IDS = (VOCAB + THREADS - 1) / THREADS; // of a thread, when the order counts
var<workgroup> bins: array<atomic<u32>, 256>;
var<workgroup> above: array<u32, THREADS>;
var<workgroup> equal: array<u32, THREADS>;
var<workgroup> prefix: u32; // the highest bits of the k-th largest
var<workgroup> left: u32; // how many of the k largest are among those with these bits
var<workgroup> nonzero: atomic<u32>;

fn weight(row: u32, rows: u32, id: u32) -> u32 {
  let column = id % PIECE;
  let block = id / PIECE * BLOCKS_OF_PIECE + column / BLOCK;
  return weights[(block * rows + row) * BLOCK + column % BLOCK];
}

// Zeros are in no order with the others, whatever their sign.
fn rank(bits: u32) -> u32 { return bits & 0x7fffffffu; }

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) count: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = group.x;
  let rows = count.x;
  let width = arrayLength(&entries) / rows;
  if (thread == 0) { left = width - 1; }
  for (var shift = 24i; shift >= 0; shift -= 8) {
    atomicStore(&bins[thread], 0u);
    workgroupBarrier();
    let known = prefix;
    for (var id = thread; id < VOCAB; id += THREADS) {
      let bits = rank(weight(row, rows, id));
      if (bits != 0 && (shift == 24 || (bits >> u32(shift + 8)) == known)) { atomicAdd(&bins[(bits >> u32(shift)) % 256], 1u); }
    }
    workgroupBarrier();
    if (thread == 0) {
      var bin = 255u;
      for (; bin > 0; bin--) {
        let size = atomicLoad(&bins[bin % 256]);
        if (size >= left) { break; }
        left -= size;
      }
      prefix = (known << 8) | bin;
    }
    workgroupBarrier();
  }
  // All above the k-th largest are taken, and of those that equal it the first.
  let least = prefix;
  let first = thread * IDS;
  let end = min(first + IDS, VOCAB);
  var bigger = 0u;
  var same = 0u;
  var found = 0u;
  for (var id = first; id < end; id++) {
    let bits = rank(weight(row, rows, id));
    found += select(0u, 1u, bits != 0);
    bigger += select(0u, 1u, bits > least);
    same += select(0u, 1u, bits == least && bits != 0);
  }
  above[thread] = bigger;
  equal[thread] = same;
  atomicAdd(&nonzero, found);
  workgroupBarrier();
  if (thread == 0) {
    var sums = vec2(0u);
    for (var t = 0u; t < THREADS; t++) {
      let own = vec2(above[t], equal[t]);
      above[t] = sums.x;
      equal[t] = sums.y;
      sums += own;
    }
    entries[row * width] = vec2(atomicLoad(&nonzero), sums.x + min(sums.y, left));
  }
  workgroupBarrier();
  var before = vec2(above[thread], equal[thread]);
  for (var id = first; id < end; id++) {
    let bits = weight(row, rows, id);
    let isSame = rank(bits) == least && rank(bits) != 0;
    if (rank(bits) > least || (isSame && before.y < left)) {
      entries[row * width + 1 + before.x + min(before.y, left)] = vec2(id, bits);
    }
    before += vec2(select(0u, 1u, rank(bits) > least), select(0u, 1u, isSame));
  }
}
