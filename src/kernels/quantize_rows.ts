import type { Arithmetic } from '../api/types';
import { GROUP } from '../formats/quantize';
import type { Gpu } from '../gpu/device';
import { createKernel, type Kernel } from '../gpu/kernel';
import { M_MULTIPLE } from './gemm';
import source from './quantize_rows.wgsl?raw';
import { roundUp } from './storage';

/** Rounds the rows of a GEMM's input to 8 bits. */
export const createQuantizeRows = (gpu: Gpu, act: Arithmetic): Promise<Kernel> =>
  createKernel(gpu, 'quantize_rows', source, { act_t: act });

/** k: a multiple of 64, so that a workgroup's 256 groups of 32 are whole rows of the padded ones. */
export const quantizeWorkgroups = (rows: number, k: number): [number] => [
  (roundUp(rows, M_MULTIPLE) * k) / GROUP / 256,
];
