// One direction of one layer of an LSTM over the rows of a sequence (Hochreiter and Schmidhuber 1997; torch's order of the gates: input,
// forget, cell, output). The input's part of the gates is there already; this adds the recurrent part, row after row, in one workgroup.

const H: u32 = 64; // numbers of the state
const COLUMNS: u32 = 64; // of a row of weight: H, padded with zeros
const GATES: u32 = 256; // numbers per row of gates
const OUT_STRIDE: u32 = 128;
const OUT_COLUMN: u32 = 0;
const REVERSE: bool = false; // from the last row to the first

@group(0) @binding(0) var<storage, read> gates: array<f32>; // [rows, GATES]: W_ih x + b_ih, of which 4 H numbers count
@group(0) @binding(1) var<storage, read> weight: array<vec4<f32>>; // [4 H, COLUMNS]
@group(0) @binding(2) var<storage, read> bias: array<f32>; // [4 H]
@group(0) @binding(3) var<storage, read> spans: array<u32>; // three numbers a row: only how many there are counts
@group(0) @binding(4) var<storage, read_write> out: array<f32>; // [rows, OUT_STRIDE]

const THREADS: u32 = 256;
const TURNS = (COLUMNS + THREADS - 1) / THREADS; // of all threads, to cover the state and its padding
// All start as zeros, as workgroup memory does.
var<workgroup> state: array<f32, TURNS * THREADS>;
var<workgroup> next: array<f32, TURNS * THREADS>;
var<workgroup> cell: array<f32, TURNS * THREADS>;

// Where exp overflows, some devices compute NaN.
fn sigmoid(x: f32) -> f32 { return 1.0 / (1.0 + exp(-clamp(x, -80.0, 80.0))); }
fn squashed(x: f32) -> f32 { return tanh(clamp(x, -15.0, 15.0)); }

const C4: u32 = COLUMNS / 4;

fn total(row: u32, index: u32, sum: vec4<f32>) -> f32 {
  return gates[row * GATES + index] + bias[index] + sum.x + sum.y + sum.z + sum.w;
}

// The four gates of number j of the state. One loop for all: in four loops an RX 7900 XTX's compiler keeps the whole state in registers.
fn gates_of(row: u32, j: u32) -> vec4<f32> {
  var input = vec4(0.0);
  var forget = vec4(0.0);
  var added = vec4(0.0);
  var output = vec4(0.0);
  for (var i = 0u; i < C4; i++) {
    let s = vec4(state[4 * i], state[4 * i + 1], state[4 * i + 2], state[4 * i + 3]);
    input += weight[j * C4 + i] * s;
    forget += weight[(H + j) * C4 + i] * s;
    added += weight[(2 * H + j) * C4 + i] * s;
    output += weight[(3 * H + j) * C4 + i] * s;
  }
  return vec4(total(row, j, input), total(row, H + j, forget), total(row, 2 * H + j, added), total(row, 3 * H + j, output));
}

@compute @workgroup_size(THREADS)
fn main(@builtin(local_invocation_index) thread: u32) {
  let rows = arrayLength(&spans) / 3;
  for (var step = 0u; step < rows; step++) {
    let row = select(step, rows - 1 - step, REVERSE);
    for (var turn = 0u; turn < TURNS; turn++) {
      let j = turn * THREADS + thread;
      if (j >= H) { break; }
      let gate = gates_of(row, j); // input, forget, cell, output
      cell[j] = sigmoid(gate.y) * cell[j] + sigmoid(gate.x) * squashed(gate.z);
      next[j] = sigmoid(gate.w) * squashed(cell[j]);
      out[row * OUT_STRIDE + OUT_COLUMN + j] = next[j];
    }
    workgroupBarrier();
    for (var turn = 0u; turn < TURNS; turn++) { state[turn * THREADS + thread] = next[turn * THREADS + thread]; }
    workgroupBarrier();
  }
}
