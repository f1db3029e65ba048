// The bias of attention's scores by distance: relative_bias[head, distance] = weight[bucket of the distance, head] · log2 e, as attention.wgsl reads it.

const HEADS: u32 = 12;
const REACH: u32 = 128; // distances -REACH .. REACH
const STRIDE: u32 = 32; // HEADS, padded

@group(0) @binding(0) var<storage, read> buckets: array<f32>; // [2 REACH + 1]: whole numbers
@group(0) @binding(1) var<storage, read> weight: array<f32>; // [buckets, STRIDE]
@group(0) @binding(2) var<storage, read_write> relative_bias: array<f32>; // [HEADS, 2 REACH + 1]

const LOG2_E: f32 = 1.4426950408889634;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x > 2 * REACH) { return; }
  relative_bias[id.y * (2 * REACH + 1) + id.x] = weight[u32(buckets[id.x]) * STRIDE + id.y] * LOG2_E;
}
