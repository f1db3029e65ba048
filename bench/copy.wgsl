// Measures memory bandwidth: every workgroup copies a run of vec4s from one large buffer to another.

const PER_THREAD: u32 = 8;

@group(0) @binding(0) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let start = group.x * 256 * PER_THREAD + thread;
  for (var i = 0u; i < PER_THREAD; i++) {
    out[start + i * 256] = source[start + i * 256];
  }
}
