// hidden_states = normed = LayerNorm(table[input_ids]) (appended to layer_norm.wgsl): the residual stream in f32 and, because layer 0 has no
// attn_norm, the same values as input of the first GEMM. A table larger than one binding is split into pieces; each dispatch binds one piece.

alias w_t = vec4<u32>;  // vec4<u32>: 4 f32 or 16 q8 weights; vec2<u32>: 4 f16 weights
const W_LANES: u32 = 4; // components of w_t
const W_BITS: u32 = 32; // per weight: 8 is quantised in groups of 32 (layout: formats/quantize.ts)
const FIRST_ID: u32 = 0; // the bound piece of the table: ids FIRST_ID .. FIRST_ID + IDS
const IDS: u32 = 1024;

@group(0) @binding(3) var<storage, read> input_ids: array<u32>; // [tokens]
@group(0) @binding(4) var<storage, read> table: array<w_t>; // [IDS, STRIDE]
@group(0) @binding(5) var<storage, read> table_scales: array<u32>; // f16 pairs [IDS, STRIDE / 32], if the table is quantised
@group(0) @binding(6) var<storage, read_write> hidden_states: array<vec4<f32>>; // [tokens, STRIDE]

fn load(at: u32) -> vec4<f32> {
  if (W_BITS == 8) {
    let scale = unpack2x16float(table_scales[at / 16] >> (at / 8 % 2 * 16)).x;
    return scale * vec4<f32>(vec4<i32>(vec4(table[at / 4][at % W_LANES]) << vec4(24, 16, 8, 0)) >> vec4(24));
  }
  let v = table[at];
  if (W_LANES == 2) { return vec4(unpack2x16float(v.x), unpack2x16float(v.y)); }
  return bitcast<vec4<f32>>(vec4(v.x, v.y, v[W_LANES - 2], v[W_LANES - 1]));
}

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let row = group.x * ROWS + local.y;
  let id = input_ids[row];
  let here = id >= FIRST_ID && id - FIRST_ID < IDS;
  let base = select(0u, id - FIRST_ID, here) * VECS;
  let m = moments(base, local);
  if (here) {
    for (var v = local.x; v < VECS; v += LANES) {
      let y = normalised(base, v, m);
      hidden_states[row * VECS + v] = y;
      normed[row * VECS + v] = stored(y);
    }
  }
}
