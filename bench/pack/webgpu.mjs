// The npm package webgpu with the Dawn toggles in DAWN_TOGGLES enabled, for whoever sets none.
import * as webgpu from 'webgpu';

const toggles = (process.env.DAWN_TOGGLES ?? '').split(',').filter(Boolean);

/** @param {string[]} options */
export const create = (options) =>
  webgpu.create([...options, ...toggles.map((name) => `enable-dawn-features=${name}`)]);
export const { globals } = webgpu;
