/** Models with LoRA adapters: the base's files with an adapter merged in, and models that change from one adapter to another. */
import { disposedError, ModelFileError, unlessAborted, wrongChoice } from '../api/errors';
import type { Model, ModelInfo, ModelSource } from '../api/types';
import { shown } from '../formats/json-fields';
import { type ModelFiles, unmergedError } from '../formats/model-files';
import type { ReadOptions } from '../formats/read';
import { type Adapter, readAdapter } from '../model/adapter/adapter';
import { readLoraConfig } from '../model/adapter/lora-config';
import { mergedFiles } from '../model/adapter/merge';
import { namedSource, openFiles, type SourceOptions } from '../sources/source';
import { type Memory, remembered } from '../store/memory';
import type { OpenOptions } from './load-runtime';
import { type Adapters, type BaseModel, fixed, type Opener, type Tools, withConfig } from './opener';

export { readAdapter, readLoraConfig };

/** What the option `adapter` or `adapters` asks for: the sources by name, and the name of the first in use. */
interface Asked {
  sources: Map<string, ModelSource>;
  first: string | undefined;
  /** Whether it can be changed later. */
  mayChange: boolean;
}

/** Throws a TypeError or RangeError for options that do not fit together. */
function askedOf({ adapter, adapters }: Adapters): Asked {
  if (adapters === undefined) return { sources: new Map([['', adapter!]]), first: '', mayChange: false };
  if (typeof adapters !== 'object' || adapters === null || Symbol.iterator in adapters) {
    throw new TypeError("adapters must be an object of name → adapter, such as { legal: './adapters/legal' }.");
  }
  const sources = new Map(Object.entries(adapters));
  return { sources, first: nameIn(sources, adapter), mayChange: true };
}

function nameIn(sources: ReadonlyMap<string, unknown>, name: unknown): string | undefined {
  if (name === undefined || (typeof name === 'string' && sources.has(name))) return name;
  throw wrongChoice('adapter', [...sources.keys()], name);
}

/** Where another source than the given one is: what only the first has does not count. */
const elsewhere = (options: OpenOptions, revision?: string): OpenOptions => ({
  ...options,
  revision,
  commit: undefined,
});

/** The base that an adapter's own folder, `source`, names, and the options to open it with. Throws a ModelFileError if it can be nowhere. */
export function namedBase<T extends SourceOptions>(
  source: ModelSource,
  { config: { base, revision }, where }: Pick<Adapter, 'config' | 'where'>,
  options: T,
) {
  const named = base === undefined ? undefined : namedSource(base, source, options);
  if (named !== undefined) return { named, options: elsewhere(options, revision) };
  throw new ModelFileError(
    `${where} is a LoRA adapter, and its adapter_config.json names the base ${shown(base)}, which is no folder beside it and no model on the Hub. Load the base, with this folder as the option adapter.`,
  );
}

/** The model of an adapter's own folder, on the base that it names. */
export function openNamed(source: ModelSource, adapter: Adapter, tools: Tools): Promise<Model> {
  const { named, options } = namedBase(source, adapter, tools.options);
  return openFixed(tools.open(named), adapter, { ...tools, options });
}

/** The files of a checkpoint to convert: with an adapter, or of one's own folder, those of its base with the adapter merged in. */
export async function filesWithAdapter(
  source: ModelSource,
  adapter: ModelSource | undefined,
  options: SourceOptions & ReadOptions,
): Promise<ModelFiles> {
  const files = openFiles(source, options);
  if (adapter !== undefined) {
    return mergedFiles(files, await readAdapter(openFiles(adapter, elsewhere(options)), options));
  }
  const started = await withConfig(files, options.signal);
  if (started) return started;
  const own = await readAdapter(files, options);
  const base = namedBase(source, own, options);
  return mergedFiles(openFiles(base.named, base.options), own);
}

/** The model of a base with its adapters. */
export async function openAdapted(base: ModelSource, adaptersGiven: Adapters, tools: Tools): Promise<Model> {
  const { options } = tools;
  const asked = askedOf(adaptersGiven);
  const read = async (source: ModelSource) =>
    tools.open(source)(elsewhere(options), (files) => readAdapter(files, options));
  const entries = [...asked.sources].map(async ([name, source]) => [name, await read(source)] as const);
  const adapters = new Map(await Promise.all(entries));
  const [only] = adapters.values();
  return asked.mayChange
    ? openChanging(tools.open(base), adapters, asked.first, tools)
    : openFixed(tools.open(base), only, tools);
}

/** The files as the checkpoint has them, so that an adapter is merged before anything is rounded: f32 means that the store keeps them so. */
const merging =
  (open: Opener, adapter: Adapter | undefined): Opener =>
  (options, read) =>
    open({ ...options, dtype: 'f32' }, (files) => read(mergedFiles(files, adapter), options.dtype));

const openMerged = (open: Opener, options: OpenOptions, { modelOf }: Tools): Promise<BaseModel> =>
  open(options, async (files, dtype) => {
    const model = await modelOf(open, files, { ...options, dtype });
    const unmerged = unmergedError(files);
    if (!unmerged) return model;
    await model.dispose();
    throw unmerged;
  });

const openFixed = async (base: Opener, adapter: Adapter, tools: Tools): Promise<Model> =>
  fixed(await openMerged(merging(base, adapter), tools.options, tools));

/** A model and how many calls of it are under way. */
interface Running {
  model: BaseModel;
  calls: number;
}

/** Each adapter's model is loaded anew, of files in memory, and takes the calls once it is there. */
async function openChanging(
  base: Opener,
  adapters: Map<string, Adapter>,
  first: string | undefined,
  tools: Tools,
): Promise<Model> {
  const memory: Memory = new Map();
  const live = new Set<Running>();
  const end = new AbortController();
  const inMemory: Opener = (options, read) => base(options, (files, dtype) => read(remembered(files, memory), dtype));
  const load = async (name: string | undefined, options: OpenOptions): Promise<Running> => {
    const model = await openMerged(
      merging(inMemory, name === undefined ? undefined : adapters.get(name)),
      options,
      tools,
    );
    model.info.loraAdapters = [...adapters.keys()];
    model.info.loraAdapter = name;
    const running = { model, calls: 0 };
    live.add(running);
    return running;
  };
  const drop = (running: Running) => {
    live.delete(running);
    return running.model.dispose();
  };

  let now = await load(first, tools.options);
  const info = { ...now.model.info };
  /** The last change; never rejects. */
  let changing: Promise<unknown> = Promise.resolve();

  async function change(name: string | undefined): Promise<ModelInfo> {
    if (end.signal.aborted) throw disposedError();
    if (name === info.loraAdapter) return info;
    const cache = tools.options.cache === 'refresh' ? 'always' : tools.options.cache;
    const { dtype, commit } = info;
    const again = { ...tools.options, cache, dtype, commit, signal: end.signal, onProgress: undefined };
    const next = await load(name, again).catch((error: unknown) => {
      throw end.signal.aborted ? disposedError() : error;
    });
    if (end.signal.aborted) {
      await drop(next);
      throw disposedError();
    }
    const before = now;
    now = next;
    if (before.calls === 0) await drop(before);
    return Object.assign(info, next.model.info);
  }

  /** Runs a call on the model as it is after the changes that came before. */
  async function run(name: string, args: unknown[]): Promise<unknown> {
    const { signal } = (args.at(-1) ?? {}) as { signal?: AbortSignal };
    await unlessAborted(changing, signal instanceof AbortSignal ? signal : undefined);
    const own = now;
    own.calls++;
    try {
      return await (own.model as unknown as Record<string, (...args: unknown[]) => unknown>)[name](...args);
    } finally {
      if (--own.calls === 0 && own !== now) await drop(own);
    }
  }

  const { info: _, memory: __, dispose: ___, ...calls } = now.model;
  const passedOn = Object.keys(calls).map((name) => [name, (...args: unknown[]) => run(name, args)]);
  return {
    ...(Object.fromEntries(passedOn) as typeof calls),
    info,
    memory: () => now.model.memory(),
    async setAdapter(name) {
      const known = nameIn(adapters, name);
      const changed = changing.then(() => change(known));
      changing = changed.catch(() => {});
      return changed;
    },
    async dispose() {
      end.abort(disposedError());
      await Promise.all([...live].map(drop));
    },
  };
}
