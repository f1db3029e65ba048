// The npm package webgpu with the toggles of Dawn that DAWN_TOGGLES names, for tests that ask for none.
import * as webgpu from 'webgpu';

const toggles = (process.env.DAWN_TOGGLES ?? '').split(',').filter(Boolean);

/**
 * Dawn (webgpu 0.6.2) goes down when a GPU object is collected whose device was just destroyed, so none is.
 * @type {GPU[]}
 */
const kept = [];

/** @param {string[]} options */
export const create = (options) => {
  const gpu = webgpu.create([...options, ...toggles.map((name) => `enable-dawn-features=${name}`)]);
  kept.push(gpu);
  return gpu;
};
export const { globals } = webgpu;
