// Rounds a GEMM's input x [M, K] to 8 bits, in groups of 32 along K with one scale per group, as q8 weights are (formats/quantize.ts).
// One thread per group. Magnitudes are compared as integers, which have the same order and put NaN above all: unlike max of floats, a group with a
// NaN or an infinity gets it as its scale, and so does everything that is computed from it.

alias act_t = f32;

@group(0) @binding(0) var<storage, read> x: array<vec4<act_t>>;
@group(0) @binding(1) var<storage, read_write> a: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> a_scales: array<f32>;

fn pack(at: u32, inverse: f32) -> u32 { return pack4xI8(vec4<i32>(round(vec4<f32>(x[at]) * inverse))); }

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let at = id.x * 8;
  var most = vec4<u32>();
  for (var i = 0u; i < 8; i++) { most = max(most, bitcast<vec4<u32>>(vec4<f32>(x[at + i])) & vec4(0x7fffffffu)); }
  let largest = bitcast<f32>(max(max(most.x, most.y), max(most.z, most.w)));
  let inverse = 127.0 / max(largest, 1e-30); // a group may be all zeros
  a[id.x * 2] = vec4(pack(at, inverse), pack(at + 1, inverse), pack(at + 2, inverse), pack(at + 3, inverse));
  a[id.x * 2 + 1] = vec4(pack(at + 4, inverse), pack(at + 5, inverse), pack(at + 6, inverse), pack(at + 7, inverse));
  a_scales[id.x] = largest / 127.0;
}
