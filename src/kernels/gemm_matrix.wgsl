enable chromium_experimental_subgroup_matrix;
// GEMM design `matrix` (appended to gemm.wgsl): tiled as in gemm_workgroup.wgsl, but the GPU's matrix units compute the products. A workgroup
// computes a TILE_M × TILE_N tile in 2 × 2 parts, one per subgroup. Operands are rounded to tile_t, sums are f32. The sums pass through
// workgroup memory to the epilogue. Needs the device feature chromium-experimental-subgroup-matrix.

alias tile_t = f32;
const MATRIX_M: u32 = 8; // the matrix sizes that the device multiplies
const MATRIX_N: u32 = 8;
const MATRIX_K: u32 = 8;

alias left_t = subgroup_matrix_left<tile_t, MATRIX_K, MATRIX_M>;
alias right_t = subgroup_matrix_right<tile_t, MATRIX_N, MATRIX_K>;
alias sums_t = subgroup_matrix_result<f32, MATRIX_N, MATRIX_M>;

const THREADS: u32 = 128; // PARTS subgroups of the usual 32
const PARTS = 4u;
const ROWS = TILE_M / 2 / MATRIX_M; // matrices per part
const COLUMNS = TILE_N / 2 / MATRIX_N;
const PAIR_COLUMNS = PAIR / MATRIX_N;
const SIZE = MATRIX_M * MATRIX_N;
const STRIDE = TILE_K + 8; // the padding spreads rows over the banks

var<workgroup> a_tile: array<array<tile_t, MATRIX_M * STRIDE>, TILE_M / MATRIX_M>; // [matrix, row, k]
var<workgroup> w_tile: array<array<tile_t, MATRIX_N * STRIDE>, TILE_N / MATRIX_N>; // [matrix, column, k]
var<workgroup> sums: array<f32, PARTS * 2 * SIZE>; // two matrices per part, PAIR columns apart: [part, 2, MATRIX_M, MATRIX_N]

fn sums4(at: u32) -> vec4<f32> {
  let first = at % (PARTS * 2 * SIZE - 3); // tells the compiler that it is inside
  return vec4(sums[first], sums[first + 1], sums[first + 2], sums[first + 3]);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_id) subgroup: u32, @builtin(num_subgroups) subgroups: u32) {
  let tile_row = group.y * TILE_M;
  let tile_column = group.x * TILE_N;
  for (var first = 0u; first < PARTS; first += subgroups) { // more than one turn only if there are fewer than PARTS subgroups
    let part = min(first + subgroup, PARTS - 1); // if there are more than PARTS, the extra ones repeat the last part
    var acc = array<sums_t, ROWS * COLUMNS>(); // zeroed in each turn
    for (var k4 = 0u; k4 < K / 4; k4 += TILE_K / 4) {
      workgroupBarrier();
      for (var step = 0u; step < TILE_M * TILE_K / 4 / THREADS; step++) {
        let i = step * THREADS + thread;
        let row = i / (TILE_K / 4);
        let k = i % (TILE_K / 4);
        let v = vec4<tile_t>(load_a(tile_row + row, k4 + k));
        let at = row % MATRIX_M * STRIDE + k * 4;
        let to = &a_tile[row / MATRIX_M];
        to[at] = v.x; to[at + 1] = v.y; to[at + 2] = v.z; to[at + 3] = v.w;
      }
      for (var step = 0u; step < TILE_N * TILE_K / 4 / THREADS; step++) {
        let i = step * THREADS + thread;
        let row = i / (TILE_K / 4);
        let k = i % (TILE_K / 4);
        let v = vec4<tile_t>(load_w(tile_column + row, k4 + k));
        let at = row % MATRIX_N * STRIDE + k * 4;
        let to = &w_tile[row / MATRIX_N];
        to[at] = v.x; to[at + 1] = v.y; to[at + 2] = v.z; to[at + 3] = v.w;
      }
      workgroupBarrier();
      for (var k = 0u; k < TILE_K; k += MATRIX_K) {
        var left: array<left_t, ROWS>;
        for (var r = 0u; r < ROWS; r++) {
          left[r] = subgroupMatrixLoad<left_t, row_major>(&a_tile[part / 2 * ROWS + r], k, STRIDE);
        }
        for (var c = 0u; c < COLUMNS; c++) {
          let right = subgroupMatrixLoad<right_t, col_major>(&w_tile[part % 2 * COLUMNS + c], k, STRIDE);
          for (var r = 0u; r < ROWS; r++) {
            acc[r * COLUMNS + c] = subgroupMatrixMultiplyAccumulate(left[r], right, acc[r * COLUMNS + c]);
          }
        }
      }
    }
    for (var r = 0u; r < ROWS; r++) {
      for (var pair = 0u; pair < COLUMNS / 2; pair++) {
        let c = pair / PAIR_COLUMNS * 2 * PAIR_COLUMNS + pair % PAIR_COLUMNS;
        workgroupBarrier();
        subgroupMatrixStore<row_major>(&sums, part * 2 * SIZE, acc[r * COLUMNS + c], MATRIX_N);
        subgroupMatrixStore<row_major>(&sums, part * 2 * SIZE + SIZE, acc[r * COLUMNS + c + PAIR_COLUMNS], MATRIX_N);
        workgroupBarrier();
        for (var run = thread; run < PARTS * SIZE / 4; run += THREADS) {
          let from_part = run / (SIZE / 4);
          let at = run % (SIZE / 4) * 4;
          let row = tile_row + from_part / 2 * (TILE_M / 2) + r * MATRIX_M + at / MATRIX_N;
          let column = tile_column + from_part % 2 * (TILE_N / 2) + c * MATRIX_N + at % MATRIX_N;
          if (from_part >= first && from_part < first + subgroups) {
            finish(row, column, sums4(from_part * 2 * SIZE + at), sums4(from_part * 2 * SIZE + SIZE + at));
          }
        }
      }
    }
  }
}
