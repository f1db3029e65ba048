import { createStore, get, set } from 'idb-keyval';
import type { PlanStore } from './kernels/tune';

/** Measured GEMM plans in IndexedDB. Where there is none, or none is allowed, both calls reject, and plans are measured again. */
const plans = () => createStore('modernbert-webgpu', 'gemm-plans');

export const browserPlans: PlanStore = {
  get: async (key) => get(key, plans()),
  set: async (key, plan) => set(key, plan, plans()),
};
