import type { LoadOptions, Model, ModelInfo, ModelSource } from '../api/types';
import type { ModelFiles } from '../formats/model-files';
import type { Adapter } from '../model/adapter/adapter';
import type { OpenOptions } from './load-runtime';

export type Adapters = Pick<LoadOptions, 'adapter' | 'adapters'>;
export type BaseModel = Omit<Model, 'setAdapter'>;

/** Opens files and makes something of them, which may be kept for the next time. */
export type Opener = <T extends { info: ModelInfo } | Adapter>(
  options: OpenOptions,
  read: (files: ModelFiles, dtype: OpenOptions['dtype']) => Promise<T>,
) => Promise<T>;

/** How open.ts opens a source and makes a model of its files. */
export interface Tools {
  open(source: ModelSource): Opener;
  modelOf(open: Opener, files: ModelFiles, options: OpenOptions): Promise<BaseModel>;
  options: OpenOptions;
}

/** A model without other adapters. */
export const fixed = (model: BaseModel): Model => ({
  ...model,
  async setAdapter() {
    throw new RangeError('This model has no adapters to choose from: load their base with the option adapters.');
  },
});

/** The files with config.json already opened; undefined if they are those of an adapter alone. */
export async function withConfig(files: ModelFiles, signal: AbortSignal | undefined): Promise<ModelFiles | undefined> {
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
