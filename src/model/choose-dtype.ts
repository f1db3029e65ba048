import { ModelFileError, wrongChoice } from '../api/errors';
import type { Dtype, DtypeName, LoadOptions } from '../api/types';
import type { QuantizedDtype } from '../formats/quantize';

/** What the choice of a dtype depends on. */
export interface DtypeFacts {
  /** What the file was converted to, if it was. */
  stored?: QuantizedDtype;
  /** The file's weights are F32, not F16 or BF16. */
  isF32: boolean;
  /** Number of parameters of the matrices and the table. */
  parameters: number;
  /** The device's limit, in bytes. */
  maxBufferSize: number;
  /** navigator.deviceMemory: GiB, at most 8; undefined if the browser does not have it. */
  deviceMemory: number | undefined;
}

const MEBIBYTE = 2 ** 20;
/** f32 weights above this are stored as f16, however much memory there is. */
const MOST_F32 = 512 * MEBIBYTE;
/** Any device is assumed to hold weights of this size. */
const LEAST_BUDGET = 512 * MEBIBYTE;
const DTYPES = ['auto', 'f32', 'f16', 'q8', 'q4'] as const;
/** What other tools call them. */
const NAMES: Record<DtypeName, Dtype> = {
  fp32: 'f32',
  float32: 'f32',
  fp16: 'f16',
  float16: 'f16',
  half: 'f16',
  int8: 'q8',
  q8_0: 'q8',
  int4: 'q4',
  q4_0: 'q4',
};
const BYTES = { f32: 4, f16: 2, q8: 1.0625 };

/** Bytes of weights that a machine with so many GiB of memory is assumed to hold: a quarter. */
export const machineBudget = (deviceMemory: number): number => deviceMemory * 256 * MEBIBYTE;

/** A dtype by any of its names, in either case. Throws a RangeError for any other. */
export function dtypeNamed(name: unknown): 'auto' | Dtype {
  const asked = String(name).toLowerCase();
  const known = DTYPES.find((dtype) => dtype === asked);
  if (known) return known;
  if (Object.hasOwn(NAMES, asked)) return NAMES[asked as DtypeName];
  const hint = /^bf(loat)?16$/.test(asked) ? ' bf16 files load as they are: as f16 or f32.' : '';
  throw new RangeError(wrongChoice('dtype', [...DTYPES, ...Object.keys(NAMES)], name).message + hint);
}

/**
 * The dtype that `name` stands for. WebGPU does not report memory, so the budget of 'auto' is the device's largest buffer (at least
 * 512 MiB), and no more than a quarter of the machine's memory if the browser reports that. 'auto' keeps the file's own precision, but f32
 * only up to 512 MiB, and falls back to f16, q8 and q4 in turn when the weights exceed the budget. No dtype needs shader-f16.
 */
export function chooseDtype(name: NonNullable<LoadOptions['dtype']>, facts: DtypeFacts): Dtype {
  const { stored, isF32, parameters, maxBufferSize, deviceMemory = Infinity } = facts;
  const asked = dtypeNamed(name);
  if (stored) {
    if (asked === 'auto' || asked === stored) return stored;
    throw new ModelFileError(
      `The checkpoint is converted to ${stored}, and its weights cannot be loaded as ${asked}: use dtype 'auto', or load the original.`,
    );
  }
  if (asked !== 'auto') return asked;
  const budget = Math.min(machineBudget(deviceMemory), Math.max(LEAST_BUDGET, maxBufferSize));
  const fits = (dtype: keyof typeof BYTES, most = Infinity) => parameters * BYTES[dtype] <= Math.min(budget, most);
  if (isF32 && fits('f32', MOST_F32)) return 'f32';
  if (fits('f16')) return 'f16';
  return fits('q8') ? 'q8' : 'q4';
}
