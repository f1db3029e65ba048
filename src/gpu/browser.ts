/** Which browser this is. Empty in Node before version 21. */
export const userAgent = (): string => globalThis.navigator?.userAgent ?? '';

/** Not its iOS version (FxiOS), which is WebKit. */
export const isFirefox = (): boolean => userAgent().includes('Firefox/');

/**
 * Where this browser says why it has no WebGPU or no adapter, and where it is turned on: a sentence with a space before it. Empty for browsers
 * that have no such page (Safari, every browser of iOS) and outside of browsers.
 */
export function advice(): string {
  if (isFirefox()) return ' See about:support, and dom.webgpu.enabled in about:config.';
  if (userAgent().includes('Chrome/')) return ' See chrome://gpu.';
  return '';
}

/** Where to go without WebGPU. */
export const noWebgpu = (): string =>
  'This environment has no WebGPU (navigator.gpu is missing). Use Chrome or Edge 127+, Safari 26+ or Firefox 141+ on a page ' +
  "served over https or from localhost; in Node import 'modernbert-webgpu/node' and install the npm package 'webgpu'." +
  advice();
