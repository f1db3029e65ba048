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
import { type GivenOptions, type OpenOptions, runtimeOf, withDtype } from './load-runtime';
import { type Adapters, type BaseModel, fixed, type Opener } from './opener';

/**
 * Loads a checkpoint onto the GPU of `options.gpu`, in this thread. The worker and Node both use it.
 * Throws WebGPUUnavailableError, ModelFileError, UnsupportedModelError, RangeError (it does not fit), DeviceLostError or the signal's reason.
 */
export async function openModel(source: ModelSource, given: GivenOptions & Adapters): Promise<Model> {
  const { adapter, adapters, ...options } = withDtype(given);
  options.signal?.throwIfAborted();
  const { recover = true } = options;
  const tools = { open: storedFiles, modelOf, options };
  const load = async (): Promise<Model> => {
    if (adapter !== undefined || adapters !== undefined) {
      const { openAdapted } = await import('./adapters');
      return openAdapted(source, { adapter, adapters }, tools);
    }
    const open = storedFiles(source);
    const found = await open(options, async (files, dtype) => {
      const started = await withConfig(files, options.signal);
      if (started) return modelOf(open, started, { ...options, dtype });
      const { readAdapter } = await import('./adapters');
      return readAdapter(files, options);
    });
    if (!('edits' in found)) return fixed(found);
    const { openNamed } = await import('./adapters');
    return openNamed(source, found, tools);
  };
  return load().catch((error: unknown) => {
    if (recover && error instanceof DeviceLostError) return load();
    throw error;
  });
}

/** The files with config.json already opened; undefined if they are those of an adapter alone. */
async function withConfig(files: ModelFiles, signal: AbortSignal | undefined): Promise<ModelFiles | undefined> {
  let config = await files.open('config.json', signal);
  const adapter = config ? undefined : await files.open('adapter_config.json', signal);
  await adapter?.stream.cancel();
  if (adapter) return undefined;
  return {
    ...files,
    async open(name, ...rest) {
      const opened = name === 'config.json' ? config : undefined;
      if (opened) config = undefined;
      return opened ?? files.open(name, ...rest);
    },
  };
}

/** Opens a source's files, those of the store where it has them; they are kept for the next time if the reading succeeds. */
const storedFiles =
  (source: ModelSource): Opener =>
  async (options, read) => {
    const files = await cachedFiles(openFiles(source, options), options);
    try {
      const result = await read(files, files.dtype ?? options.dtype);
      const asked = options.dtype === 'auto' ? undefined : options.dtype;
      const info = 'info' in result ? result.info : undefined;
      const use = await files.finish(asked ?? info?.dtype ?? 'f32');
      if (info) Object.assign(info, { cache: use, commit: files.identity?.commit });
      return result;
    } catch (error) {
      await files.discard(error);
      throw error;
    }
  };

/** The model of these files. `open` opens them again if the device is lost. */
async function modelOf(open: Opener, files: ModelFiles, options: OpenOptions): Promise<BaseModel> {
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
      return open(again, (own, dtype) => runtimeOf(own, { ...again, dtype }));
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
