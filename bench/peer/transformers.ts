// transformers.js on one of its devices, for the comparison page (page.ts) and the demo's worker.
import { env, pipeline } from '@huggingface/transformers';
import type { Answer } from './contenders';

/** The ONNX graph takes its weights from the checkpoint's file (tools/onnx/slim.py). */
const WEIGHTS = 'model.safetensors';

export interface PeerPlaces {
  /** Path of the folder that contains the models' folders, with a trailing slash. */
  models: string;
  /** ONNX Runtime's files: the URL of their folder, or of the WebAssembly file. */
  ort: string | { wasm: string };
}

/** Loads a model and returns a function that embeds texts in one call, as normalised means. */
export async function loadPeer(
  model: string,
  device: 'webgpu' | 'wasm',
  { models, ort }: PeerPlaces,
): Promise<(texts: string[]) => Promise<Answer>> {
  env.allowLocalModels = true;
  env.allowRemoteModels = false;
  env.localModelPath = models;
  env.useBrowserCache = false; // leave nothing in the browser's storage
  env.useWasmCache = false; // it uses blob: URLs, which content security policies block
  env.backends.onnx.wasm!.wasmPaths = ort;
  const session_options = { externalData: [{ path: WEIGHTS, data: WEIGHTS }] };
  const extract = await pipeline('feature-extraction', model, { device, dtype: 'fp32', session_options });
  return async (texts) => {
    const start = performance.now();
    const output = await extract(texts, { pooling: 'mean', normalize: true });
    const result = {
      ms: performance.now() - start,
      dim: output.dims[1],
      data: Array.from(output.data as Float32Array),
    };
    output.dispose();
    return result;
  };
}
