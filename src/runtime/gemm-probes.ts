/** Small inputs for the kernels of a GEMM, one probe for each, and what they must compute from them. */
import type { CompiledStep } from '../kernels/compile';
import { type GemmSpec, outStrideOf } from '../kernels/gemm-spec';
import { gemmOperands, gemmTwin, noise, sample } from '../kernels/gemm-twin';
import { bytesOf, roundUp } from '../kernels/storage';
import type { Probe } from './probe-parts';

/** Columns of a GEMM to compute: the widest tile of any design. Where q, k and v differ, all of them. */
const COLUMNS = 128;
/** Rows of out from this width on are long: one tile of them is enough, which heads need room for anyway. */
const WIDE = 2048;

/** Each kernel of a GEMM once, at the most rows that it is used for, or at those of the one before and one tile more. */
export function gemmProbes(spec: GemmSpec, variants: CompiledStep<never>['variants']): Probe[] {
  const { n, k: _, epilogue, out: type, outColumn = 0 } = spec;
  const stride = outStrideOf(spec);
  const computed = 'qScale' in epilogue ? n : Math.min(n, COLUMNS);
  const columns = epilogue.kind === 'geglu' ? computed / 2 : computed;
  const cases = variants.map(({ upTo, tile }, i) => {
    const rows = upTo ?? (variants[i - 1]?.upTo ?? 0) + tile!.m;
    const tiles = stride >= WIDE ? 1 : Math.ceil(rows / tile!.m);
    return { tile: tile!, rows, tiles, computed: tiles * tile!.m };
  });
  const mostRows = cases.reduce((most, { computed }) => Math.max(most, computed), 0);
  const operands = gemmOperands(spec, mostRows, computed);
  const before = epilogue.kind === 'residual' ? noise(mostRows * stride, 'f32', -1, 7) : undefined;
  const twin = gemmTwin(spec, operands, before && new Float32Array(before.buffer));
  return cases.map(({ tile, rows, tiles, computed: computedRows }) => {
    return {
      buffers: {
        ...operands,
        out: before?.slice(0, computedRows * stride) ?? computedRows * stride * bytesOf(type),
      },
      rows,
      workgroups: [Math.ceil(roundUp(computed, 64) / tile.n), tiles],
      outputs: [
        {
          binding: 'out',
          type,
          rows: computedRows,
          columns,
          stride,
          column: outColumn,
          compare: (read, judge) =>
            sample(computedRows, columns, tile, (row, column) => judge(read(row, column), ...twin(row, column))),
        },
      ],
    };
  });
}
