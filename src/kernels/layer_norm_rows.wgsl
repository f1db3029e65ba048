// normed[row] = LayerNorm(hidden_states[row]) or, with GATHER, LayerNorm(hidden_states[rows[row]]) (appended to layer_norm.wgsl).

const GATHER: bool = false;
const COPY: bool = false; // the rows as they are, without LayerNorm

@group(0) @binding(3) var<storage, read> hidden_states: array<vec4<f32>>; // [tokens, STRIDE]
@group(0) @binding(4) var<storage, read> rows: array<u32>; // [rows]

fn load(at: u32) -> vec4<f32> { return hidden_states[at]; }

@compute @workgroup_size(LANES, ROWS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let row = group.x * ROWS + local.y;
  var source = row;
  if (GATHER) { source = rows[min(row, arrayLength(&rows) - 1)]; }
  let base = source * VECS;
  if (COPY) {
    for (var v = local.x; v < VECS; v += LANES) { normed[row * VECS + v] = stored(load(base + v)); }
    return;
  }
  let m = moments(base, local);
  for (var v = local.x; v < VECS; v += LANES) { normed[row * VECS + v] = stored(normalised(base, v, m)); }
}
