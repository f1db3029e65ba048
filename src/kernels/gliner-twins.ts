/** Reference implementations of the kernels of GLiNER's heads; see twins.ts. */
import { dot, type Matrix } from './twins';

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** One direction of an LSTM layer from its gates' input part [rows, 4 H] and its recurrent weight [4 H, H] → [rows, H]. */
export function lstm(gates: Matrix, weight: Matrix, bias: Float64Array, reverse: boolean): Matrix {
  const hidden = weight[0].length;
  let state = new Float64Array(hidden);
  const cell = new Float64Array(hidden);
  const out: Matrix = [];
  for (const step of gates.keys()) {
    const row = reverse ? gates.length - 1 - step : step;
    const before = state;
    const gate = (index: number) => gates[row][index] + bias[index] + dot(weight[index], before);
    state = before.map((_, j) => {
      cell[j] = sigmoid(gate(hidden + j)) * cell[j] + sigmoid(gate(j)) * Math.tanh(gate(2 * hidden + j));
      return sigmoid(gate(3 * hidden + j)) * Math.tanh(cell[j]);
    });
    out[row] = state;
  }
  return out;
}

/** starts[row] + ends[row + number], zeros beyond the last row. */
export const spanFeatures = (starts: Matrix, ends: Matrix, number: number, relu: boolean): Matrix =>
  starts.map((row, r) =>
    row.map((value, c) => {
      const sum = r + number < ends.length ? value + ends[r + number][c] : 0;
      return relu ? Math.max(sum, 0) : sum;
    }),
  );

/** [a, b, c ∘ d] of every row [a, c] and the label [b, d]. */
export const labelFeatures = (words: Matrix, label: Float64Array): Matrix => {
  const width = label.length / 2;
  return words.map((word) =>
    Float64Array.from({ length: 3 * width }, (_, i) =>
      i < width ? word[i] : i < 2 * width ? label[i - width] : word[i - width] * label[i - width],
    ),
  );
};

/** rows · othersᵀ + bias. */
export const dotRows = (rows: Matrix, others: Matrix, bias?: Float64Array): Matrix =>
  rows.map((row) => Float64Array.from(others, (other, i) => dot(row, other) + (bias?.[i] ?? 0)));
