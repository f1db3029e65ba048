// features[row] = [a, b, c ∘ d] where words[row] = [a, c] and labels[label] = [b, d], each of WIDTH numbers: what a word is scored by for a
// label. One thread per number.

const WIDTH: u32 = 64;

@group(0) @binding(0) var<storage, read> words: array<f32>; // [rows, 2 WIDTH]
@group(0) @binding(1) var<storage, read> labels: array<f32>; // [labels, 2 WIDTH]
@group(0) @binding(2) var<storage, read> number: array<f32>; // [1]: label
@group(0) @binding(3) var<storage, read_write> features: array<f32>; // [rows, 3 WIDTH]

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let column = group.y * 64 + thread;
  if (column >= WIDTH) { return; }
  let word = group.x * 2 * WIDTH + column;
  let label = u32(number[0]) * 2 * WIDTH + column;
  let to = group.x * 3 * WIDTH + column;
  features[to] = words[word];
  features[to + WIDTH] = labels[label];
  features[to + 2 * WIDTH] = words[word + WIDTH] * labels[label + WIDTH];
}
