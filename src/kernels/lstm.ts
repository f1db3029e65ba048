import source from './lstm.wgsl?raw';
import type { KernelStep, Operand } from './step';

export interface LstmSpec {
  /** Numbers of a direction's state. */
  hidden: number;
  /** Numbers per row of the recurrent weight, of gates and of out; the column of out that this direction begins at. */
  columns: number;
  gates: number;
  outStride: number;
  outColumn: number;
  reverse: boolean;
}

/** So many numbers of state fit the workgroup memory of every device. */
export const MAX_LSTM_HIDDEN = 1280;

/** One direction of an LSTM layer over the rows that `spans` lists, one sequence. Source: torch.nn.LSTM. */
export const lstm = <S>(
  { hidden, columns, gates, outStride, outColumn, reverse }: LstmSpec,
  buffers: Record<'gates' | 'weight' | 'bias' | 'spans' | 'out', Operand<S>>,
): KernelStep<S> => ({
  label: 'lstm',
  kernel: {
    label: 'lstm',
    source,
    constants: {
      H: hidden,
      COLUMNS: columns,
      GATES: gates,
      OUT_STRIDE: outStride,
      OUT_COLUMN: outColumn,
      REVERSE: reverse,
    },
  },
  buffers,
  workgroups: () => [1],
});
