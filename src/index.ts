/** Entry for the browser: `modernbert-webgpu`. */
export type * from './api';
export { type BrowserLoadOptions, loadModel } from './client';
export { DeviceLostError, ModelFileError, UnsupportedModelError, WebGPUUnavailableError } from './errors';
