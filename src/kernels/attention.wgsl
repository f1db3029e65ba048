// What both attention designs share: out[i] = softmax(q[i] · kᵀ) v over the keys that row i may see, over the unpadded stream. A workgroup takes one
// tile of the work list and one head, and of the head a slice where its threads do not give out the whole. Every row has the bounds of the keys
// it may see: its sequence's for global layers, its window's within the sequence for window layers. So several short sequences can share a tile,
// and a window layer's tiles visit only the keys that their rows' windows touch. Softmax is online and of base 2: q carries log2 e. How the
// products are computed is in attention_workgroup.wgsl and attention_subgroup.wgsl, which are appended to this one.

alias act_t = f32; // storage of qkv and out; tiles, products and sums are f32
const HEADS: u32 = 4;
const HEAD_DIM: u32 = 64; // a multiple of 32

@group(0) @binding(0) var<storage, read> qkv: array<vec4<act_t>>; // [tokens, 3, HEADS, HEAD_DIM]
@group(0) @binding(1) var<storage, read> tiles: array<vec4<u32>>; // (q_start, q_end, k_start, k_end), in stream rows
@group(0) @binding(2) var<storage, read> bounds: array<vec2<u32>>; // [tokens]: (first, end) of the keys that the row sees
@group(0) @binding(3) var<storage, read_write> out: array<vec4<act_t>>; // [tokens, HEADS, HEAD_DIM]

const DIM4 = HEAD_DIM / 4;
const MASKED: f32 = -1e30; // finite, so that no inf - inf can arise
const UNSET: f32 = -1e20; // between a masked score and any other

fn load(part: u32, head: u32, row: u32, dim4: u32) -> vec4<f32> {
  return vec4<f32>(qkv[((row * 3 + part) * HEADS + head) * DIM4 + dim4]);
}

fn visible(row: u32, q_end: u32) -> vec2<u32> {
  return select(vec2(0u), bounds[row], row < q_end);
}
