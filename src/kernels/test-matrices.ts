/** For tests: emulates subgroup matrices, so that gemm_matrix.wgsl runs on a GPU without them; only their types and built-ins are replaced. */
import type { Gpu, SubgroupMatrix } from '../gpu/device';

/**
 * A left or right matrix is represented by its place in its tile. Of a sum, each thread of a subgroup (of at least 4) holds every
 * subgroup_size-th element. Loops end at values that no compiler can know, because unrolling them would take it minutes.
 */
const EMULATION = `
struct left_t { at: u32, k: u32 }
struct right_t { at: u32, k: u32 }
alias sums_t = array<f32, SIZE / 4>;
var<private> lane: u32;
var<private> lanes: u32;
fn some(count: u32) -> u32 { return min(count, arrayLength(&out)); }
fn multiply(left: left_t, right: right_t, values: ptr<function, sums_t>) {
  for (var i = 0u; i < SIZE / lanes; i++) {
    let m = (i * lanes + lane) / MATRIX_N;
    let n = (i * lanes + lane) % MATRIX_N;
    var sum = values[i];
    for (var k = 0u; k < MATRIX_K; k++) {
      sum += f32(a_tile[left.at][m * STRIDE + left.k + k]) * f32(w_tile[right.at][n * STRIDE + right.k + k]);
    }
    values[i] = sum;
  }
}
fn store(to: ptr<workgroup, array<f32, PARTS * 2 * SIZE>>, offset: u32, values: ptr<function, sums_t>, stride: u32) {
  for (var i = 0u; i < SIZE / lanes; i++) {
    let at = i * lanes + lane;
    to[offset + at / MATRIX_N * stride + at % MATRIX_N] = values[i];
  }
}`;

const emulate = (code: string): string =>
  code
    .replace('enable chromium_experimental_subgroup_matrix;', 'enable subgroups;')
    .replace(/^alias \w+ = subgroup_matrix_.*$/gm, '')
    .replace(/subgroupMatrixLoad<left_t, row_major>\(&a_tile\[(.*)\], k, STRIDE\)/, 'left_t($1, k)')
    .replace(/subgroupMatrixLoad<right_t, col_major>\(&w_tile\[(.*)\], k, STRIDE\)/, 'right_t($1, k)')
    .replace(/(acc\[.*\]) = subgroupMatrixMultiplyAccumulate\((.*), \1\)/, 'multiply($2, &$1)')
    .replace(/subgroupMatrixStore<row_major>\((.*, )(acc\[.*\])/g, 'store($1&$2')
    .replace('fn main(', 'fn main(@builtin(subgroup_invocation_id) id: u32, @builtin(subgroup_size) size: u32, ')
    .replace('subgroups: u32) {', 'subgroups: u32) { lane = id; lanes = size;')
    .concat(EMULATION)
    .replace(/(for \(var (\w+) = [^;]+; \2 <) ([^;]+);/g, '$1 some($3);');

/** `gpu` with emulated matrices of this size; `change` edits the shader, for example to break it. */
export function withMatrices(gpu: Gpu, subgroupMatrix: SubgroupMatrix, change = (code: string) => code): Gpu {
  const device = new Proxy(gpu.device, {
    get(target, name) {
      if (name === 'createShaderModule') {
        return ({ label, code }: GPUShaderModuleDescriptor) =>
          target.createShaderModule({ label, code: code.includes('subgroup_matrix') ? change(emulate(code)) : code });
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { ...gpu, device, subgroupMatrix };
}
