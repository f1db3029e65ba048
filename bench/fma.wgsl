// Measures the f32 FMA rate: every thread runs independent chains of vec4 FMAs, long enough that nothing else matters.

const CHAINS: u32 = 8; // 2, 4 or 8: enough to hide an FMA's latency, few enough to stay in registers

@group(0) @binding(0) var<storage, read> factors: array<vec4<f32>>; // multiplier, addend, (iterations, 0, 0, 0)
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let m = factors[0];
  let c = factors[1];
  let iterations = u32(factors[2].x);
  var a0 = vec4(f32(id.x)); var a1 = a0 + 1.0; var a2 = a0 + 2.0; var a3 = a0 + 3.0;
  var a4 = a0 + 4.0; var a5 = a0 + 5.0; var a6 = a0 + 6.0; var a7 = a0 + 7.0;
  for (var i = 0u; i < iterations; i++) {
    for (var step = 0; step < 8; step++) { // compilers unroll this loop
      a0 = fma(a0, m, c); a1 = fma(a1, m, c);
      if (CHAINS > 2) { a2 = fma(a2, m, c); a3 = fma(a3, m, c); }
      if (CHAINS > 4) { a4 = fma(a4, m, c); a5 = fma(a5, m, c); a6 = fma(a6, m, c); a7 = fma(a7, m, c); }
    }
  }
  let sum = a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7;
  if (sum.x == 12345.678) { out[0] = sum; } // never true, but the compiler cannot know
}
