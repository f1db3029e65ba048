import { isSoftware } from '../../src/gpu/profile';

/** Whether an adapter computes on the CPU: for the page, which knows the adapter before it loads a model. */
export const computesOnCpu = (info: GPUAdapterInfo): boolean => isSoftware(info);
