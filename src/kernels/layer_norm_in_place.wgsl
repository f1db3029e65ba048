// hidden_states = normed = LayerNorm(hidden_states), in place (appended to layer_norm.wgsl): the residual stream in f32, and the same values as the
// input of the next GEMM. After the embeddings, and after each sublayer of post-norm architectures.

@group(0) @binding(3) var<storage, read_write> hidden_states: array<vec4<f32>>; // [tokens, STRIDE]

fn load(at: u32) -> vec4<f32> { return hidden_states[at]; }

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let base = (group.x * ROWS + local.y) * VECS;
  let m = moments(base, local);
  for (var v = local.x; v < VECS; v += LANES) {
    let y = normalised(base, v, m);
    hidden_states[base + v] = y;
    normed[base + v] = stored(y);
  }
}
