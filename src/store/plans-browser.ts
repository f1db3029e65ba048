import { createStore, get, set } from 'idb-keyval';

/** Measured GEMM plans in IndexedDB. Without it both calls reject, and plans are measured again. */
const plans = () => createStore('modernbert-webgpu', 'gemm-plans');

export const browserPlans = {
  get: async (key: string): Promise<unknown> => get(key, plans()),
  set: async (key: string, plan: unknown): Promise<void> => set(key, plan, plans()),
};
