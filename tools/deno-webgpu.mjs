// What tests get from the npm package webgpu, in Deno: its own WebGPU. Options are Dawn's and mean nothing to it.
export const create = () => navigator.gpu;
/** Deno has the classes and constants of WebGPU as globals. */
export const globals = {};
