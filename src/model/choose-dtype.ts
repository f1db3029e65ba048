import { ModelFileError } from '../api/errors';
import type { Dtype, LoadOptions } from '../api/types';
import type { QuantizedDtype } from '../formats/quantize';

/** What the choice of a dtype depends on. */
export interface DtypeFacts {
  /** The file was converted to this. */
  stored?: QuantizedDtype;
  /** The file's weights are F32, not F16 or BF16. */
  isF32: boolean;
  /** Of the matrices and the table. */
  parameters: number;
  /** The device's limit, bytes. */
  maxBufferSize: number;
  /** navigator.deviceMemory: GiB, at most 8; undefined where the browser does not say. */
  deviceMemory: number | undefined;
}

const MEBIBYTE = 2 ** 20;
/** f32 weights above this are stored as f16 however much memory there is. */
const MOST_F32 = 512 * MEBIBYTE;
/** Weights that any device is trusted with. */
const LEAST_BUDGET = 512 * MEBIBYTE;
const DTYPES = ['auto', 'f32', 'f16', 'q8', 'q4'];
const BYTES = { f32: 4, f16: 2, q8: 1.0625 };

/**
 * The dtype that `asked` means. WebGPU does not tell how much memory there is, so 'auto' gives weights a quarter of the machine's where the
 * browser tells that, and the device's largest buffer (at least 512 MiB) anyway; it takes the file's own precision, but f32 only up to
 * 512 MiB, and f16, q8 and q4 in turn where the ones before are over the budget. shader-f16 does not matter: every dtype runs without.
 */
export function chooseDtype(asked: NonNullable<LoadOptions['dtype']>, facts: DtypeFacts): Dtype {
  const { stored, isF32, parameters, maxBufferSize, deviceMemory = Infinity } = facts;
  if (!DTYPES.includes(asked)) throw new RangeError(`dtype must be one of ${DTYPES.join(', ')}; it is '${asked}'.`);
  if (stored) {
    if (asked === 'auto' || asked === stored) return stored;
    throw new ModelFileError(
      `The checkpoint is converted to ${stored}, and its weights cannot become ${asked} again: load it with dtype 'auto', or load the original.`,
    );
  }
  if (asked !== 'auto') return asked;
  const budget = Math.min(deviceMemory * 256 * MEBIBYTE, Math.max(LEAST_BUDGET, maxBufferSize));
  const fits = (dtype: keyof typeof BYTES, most = Infinity) => parameters * BYTES[dtype] <= Math.min(budget, most);
  if (isF32 && fits('f32', MOST_F32)) return 'f32';
  if (fits('f16')) return 'f16';
  return fits('q8') ? 'q8' : 'q4';
}
