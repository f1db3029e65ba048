// The npm package webgpu with the Dawn toggles in DAWN_TOGGLES enabled, for whoever sets none.
import * as webgpu from 'webgpu';

const toggles = (process.env.DAWN_TOGGLES ?? '').split(',').filter(Boolean);

/**
 * Keeps every GPU object alive: Dawn (webgpu 0.6.2) crashes if one is collected whose device was just destroyed.
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
