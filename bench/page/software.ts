/** Whether an adapter computes on the CPU. For the page, which knows the adapter before it loads a model. */
export { isSoftware } from '../../src/gpu/profile';
