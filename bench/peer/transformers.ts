// transformers.js on one of its devices, for comparisons in a page (page.ts) and in the demo's worker.
import { env, pipeline } from '@huggingface/transformers';
import type { Answer } from './contenders';

/** The graph's weights lie in the checkpoint's own file (tools/onnx/slim.py). */
const WEIGHTS = 'model.safetensors';

export interface PeerPlaces {
  /** Path of the folder that holds the models' folders, with a slash at the end. */
  models: string;
  /** Where ONNX Runtime's files are: a folder's address, or that of its WebAssembly file. */
  ort: string | { wasm: string };
}

/** A model of `models` on `device`, as what embeds texts: normalised means, one call for all. */
export async function loadPeer(
  model: string,
  device: 'webgpu' | 'wasm',
  { models, ort }: PeerPlaces,
): Promise<(texts: string[]) => Promise<Answer>> {
  env.allowLocalModels = true;
  env.allowRemoteModels = false;
  env.localModelPath = models;
  env.useBrowserCache = false; // nothing of it stays on the device
  env.useWasmCache = false; // it would come as a blob: address, which content security policies refuse
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
