// Flash attention, the part that both designs share: out[i] = softmax(q[i] · kᵀ) v per head, over the unpadded token stream.
// A workgroup computes one tile of query rows (from the work list) for one head; if its threads cannot hold a whole head of output, it computes
// one slice of the head's dimensions. It walks the tile's keys in steps and keeps an online softmax, so scores are never stored in full.
// Each row has bounds on the keys that it may see: its sequence in a global layer, its window within the sequence in a window layer. Several
// short sequences can therefore share a tile, and a window layer's tiles visit only the keys that their rows' windows touch.
// Exponentials are base 2: q already carries the factor log2 e. attention_workgroup.wgsl and attention_subgroup.wgsl, one of which is appended
// to this file, compute the products.

alias act_t = f32; // storage type of qkv and out; tiles, products and sums are f32
const HEADS: u32 = 4;
const HEAD_DIM: u32 = 64; // a multiple of 32

@group(0) @binding(0) var<storage, read> qkv: array<vec4<act_t>>; // [tokens, 3, HEADS, HEAD_DIM]
@group(0) @binding(1) var<storage, read> tiles: array<vec4<u32>>; // (q_start, q_end, k_start, k_end), in stream rows
@group(0) @binding(2) var<storage, read> bounds: array<vec2<u32>>; // [tokens]: (first, end) of the keys that a row sees
@group(0) @binding(3) var<storage, read_write> out: array<vec4<act_t>>; // [tokens, HEADS, HEAD_DIM]

const DIM4 = HEAD_DIM / 4;
const MASKED: f32 = -1e30; // finite, because inf - inf is NaN
const UNSET: f32 = -1e20; // above a masked score, below any other

fn load(part: u32, head: u32, row: u32, dim4: u32) -> vec4<f32> {
  return vec4<f32>(qkv[((row * 3 + part) * HEADS + head) * DIM4 + dim4]);
}

fn visible(row: u32, q_end: u32) -> vec2<u32> {
  return select(vec2(0u), bounds[row], row < q_end);
}
