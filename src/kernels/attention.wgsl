// Flash attention, the part that both designs share: out[i] = softmax(q[i] · kᵀ) v per head, over the unpadded token stream.
// A workgroup computes one tile of query rows (from the work list) for one head; if its threads cannot hold a whole head of output, it computes
// one slice of the head's dimensions. It walks the tile's keys in steps and keeps an online softmax, so scores are never stored in full.
// Each row has bounds on the keys that it may see: its sequence in a global layer, its window within the sequence in a window layer. Several
// short sequences can therefore share a tile, and a window layer's tiles visit only the keys that their rows' windows touch.
// Exponentials are base 2: q already carries the factor log2 e. attention_workgroup.wgsl and attention_subgroup.wgsl, one of which is appended
// to this file, compute the products.

alias act_t = f32; // storage type of qkv and out; tiles, products and sums are f32
const HEADS: u32 = 4;
const KV_HEADS: u32 = 4; // each serves HEADS / KV_HEADS heads of q
const HEAD_DIM: u32 = 64; // a multiple of 32
const REACH: u32 = 0; // 0, or scores have a bias by how far a key is from its row, which is the same from REACH on

@group(0) @binding(0) var<storage, read> qkv: array<vec4<act_t>>; // [tokens, HEADS + 2 KV_HEADS, HEAD_DIM]
@group(0) @binding(1) var<storage, read> tiles: array<vec4<u32>>; // (q_start, q_end, k_start, k_end), in stream rows
@group(0) @binding(2) var<storage, read> bounds: array<vec2<u32>>; // [tokens]: (first, end) of the keys that a row sees
@group(0) @binding(3) var<storage, read_write> out: array<vec4<act_t>>; // [tokens, HEADS, HEAD_DIM]
@group(0) @binding(4) var<storage, read> relative_bias: array<f32>; // [HEADS, 2 REACH + 1]: of distances -REACH .. REACH, times log2 e

const DIM4 = HEAD_DIM / 4;
const MASKED: f32 = -1e30; // finite, because inf - inf is NaN
const UNSET: f32 = -1e20; // above a masked score, below any other

fn load(part: u32, head: u32, row: u32, dim4: u32) -> vec4<f32> {
  let place = select(HEADS + (part - 1) * KV_HEADS + head / (HEADS / KV_HEADS), head, part == 0);
  return vec4<f32>(qkv[(row * (HEADS + 2 * KV_HEADS) + place) * DIM4 + dim4]);
}

fn bias(head: u32, rows: vec4<u32>, keys: vec4<u32>) -> vec4<f32> { // of four scores; keys may lie past the last one
  let reach = vec4(i32(REACH));
  let at = vec4<u32>(clamp(vec4<i32>(keys) - vec4<i32>(rows), -reach, reach) + reach) + vec4(head * (2 * REACH + 1));
  return vec4(relative_bias[at.x], relative_bias[at.y], relative_bias[at.z], relative_bias[at.w]);
}

fn visible(row: u32, q_end: u32) -> vec2<u32> {
  return select(vec2(0u), bounds[row], row < q_end);
}
