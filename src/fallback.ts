/**
 * Entry for pages whose users may have no WebGPU, `modernbert-webgpu/fallback`: there the same calls run by an installed transformers.js
 * (`@huggingface/transformers` 4) on WebAssembly, from ONNX files. See docs/guide/fallback.md.
 */
import { checkOptions, LOAD_OPTIONS, type OptionNames } from './api/options';
import type { Model, ModelSource } from './api/types';
import { type BrowserLoadOptions, loadModel as load } from './index';

export * from './index';

export interface FallbackOptions extends BrowserLoadOptions {
  /**
   * What runs the model where there is no WebGPU. It must be chosen, as it is many times slower: a page may rather say so, or let its server
   * compute. `info.fallback` says whether it was needed.
   */
  fallback: 'transformers.js';
  /**
   * Where the ONNX files are, if the checkpoint's own repository has none: a Hub id, such as `onnx-community/ModernBERT-base-ONNX`, or a folder of
   * this site. They must have been exported from the same checkpoint. Default: the folder `onnx` of the source.
   */
  onnx?: string | URL;
  /** Whether to use transformers.js without asking for a GPU: if that is known already, or to try it. Default: false. */
  force?: boolean;
}

const OPTIONS: OptionNames<FallbackOptions> = {
  ...LOAD_OPTIONS,
  worker: true,
  fallback: true,
  onnx: true,
  force: true,
};

/**
 * As `loadModel` of modernbert-webgpu. If that throws a WebGPUUnavailableError, the model runs by transformers.js, in this thread: `embed`, `classify`,
 * `fillMask`, `rerank`, `zeroShot`, `classifyTokens` and `answer` give what they give on a GPU up to rounding and the ONNX file's weights, `tokenize`
 * and `chunk` just the same, and calls that need more reject with a WebGPUUnavailableError.
 *
 * `source` can then be a Hub id, or a folder of the page's own origin. Of the options count `dtype` (`auto` is q8), `hubUrl` (which becomes
 * transformers.js's `env.remoteHost`), `maxLength`, `onProgress`, `revision`, `signal`, `stallTimeout`, `stripTexts` and `task`; `adapter`, `adapters`
 * and `token` are errors.
 *
 * Throws what `loadModel` throws; a ModelFileError without an ONNX file, and a WebGPUUnavailableError if transformers.js is not installed.
 */
export async function loadModel(source: ModelSource, options: FallbackOptions): Promise<Model> {
  checkOptions('loadModel', options, OPTIONS);
  const { fallback, onnx, force = false, ...rest } = options ?? {};
  if (fallback !== 'transformers.js') {
    throw new TypeError(
      "loadModel of modernbert-webgpu/fallback needs the option fallback: 'transformers.js', which says what runs the model without WebGPU. For none use loadModel of modernbert-webgpu.",
    );
  }
  if (!force) {
    try {
      return await load(source, rest);
    } catch (error) {
      if ((error as Error)?.name !== 'WebGPUUnavailableError') throw error;
    }
  }
  const { openFallback } = await import('./fallback/open');
  return openFallback(source, { ...rest, onnx });
}
