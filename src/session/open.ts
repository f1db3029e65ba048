import { DeviceLostError, disposedError } from '../api/errors';
import type { Model, ModelSource } from '../api/types';
import type { ModelFiles } from '../formats/model-files';
import { readJson } from '../formats/read';
import { createScheduler } from '../runtime/scheduler';
import { openFiles } from '../sources/source';
import { cachedFiles } from '../store/cache';
import { modelCalls } from '../tasks/calls';
import { checkTokenIds, createTokenizer } from '../tokenizer/tokenizer';
import { createEngine, type Loaded } from './engine';
import { type OpenOptions, runtimeOf, withDtype } from './load-runtime';

/**
 * Loads a checkpoint onto the GPU of `options.gpu`, in this thread. The worker and Node both use it.
 * Throws WebGPUUnavailableError, ModelFileError, UnsupportedModelError, RangeError (it does not fit), DeviceLostError or the signal's reason.
 */
export async function openModel(source: ModelSource, given: OpenOptions): Promise<Model> {
  const options = withDtype(given);
  options.signal?.throwIfAborted();
  const { recover = true } = options;
  const load = () => stored(source, options, (files, dtype) => modelOf(source, files, { ...options, dtype }));
  return load().catch((error: unknown) => {
    if (recover && error instanceof DeviceLostError) return load();
    throw error;
  });
}

/** Runs a load with the source's files, those of the store where it has them; it is kept for the next time if it succeeds. */
async function stored<T extends { info: Model['info'] }>(
  source: ModelSource,
  options: OpenOptions,
  load: (files: ModelFiles, dtype: OpenOptions['dtype']) => Promise<T>,
): Promise<T> {
  const files = await cachedFiles(openFiles(source, options), options);
  try {
    const loaded = await load(files, files.dtype ?? options.dtype);
    loaded.info.cache = await files.finish(loaded.info.dtype);
    loaded.info.commit = files.identity?.commit;
    return loaded;
  } catch (error) {
    await files.discard(error);
    throw error;
  }
}

async function modelOf(source: ModelSource, files: ModelFiles, options: OpenOptions): Promise<Model> {
  const { runtime, precise, config, sentence, info } = await runtimeOf(files, options);
  try {
    const [tokenizerJson, tokenizerConfig] = await Promise.all([
      readJson(files, 'tokenizer.json', options),
      readJson(files, 'tokenizer_config.json', options),
    ]);
    const tokenizer = tokenizerJson === undefined ? undefined : createTokenizer(tokenizerJson, tokenizerConfig);
    if (tokenizer) checkTokenIds(tokenizer, config.vocab_size);
    info.maskToken = tokenizer?.maskToken;
    options.signal?.throwIfAborted();

    const { recover = true } = options;
    const reload = (signal: AbortSignal): Promise<Loaded> => {
      const cache = options.cache === 'refresh' ? 'always' : options.cache;
      const { dtype, commit } = info; // the tokenizer is of this commit
      const again = { ...options, cache, dtype, commit, signal, onProgress: undefined };
      return stored(source, again, (own, dtype) => runtimeOf(own, { ...again, dtype }));
    };
    const engine = createEngine({ runtime, precise }, recover ? reload : undefined);
    const scheduler = createScheduler({ ...engine, maxTokensPerPass: () => info.maxTokensPerPass });
    let disposed = false;
    return {
      info,
      ...modelCalls({
        config,
        logits: runtime.model.head?.output.columns ?? 0,
        sentence,
        info,
        tokenizer,
        where: files.where,
        async submit(items, control) {
          if (disposed) throw disposedError();
          return scheduler.submit(items, control);
        },
      }),
      memory: engine.memory,
      async dispose() {
        disposed = true;
        scheduler.stop(disposedError());
        engine.dispose();
      },
    };
  } catch (error) {
    runtime.dispose();
    throw error;
  }
}
