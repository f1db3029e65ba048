import { type ProxyMarked, type Remote, releaseProxy, transfer } from 'comlink';
import type { CallProgress, Calls } from '../api/calls';
import { WorkerError } from '../api/errors';
import type { Support } from '../api/support';
import type { LoadOptions, MemoryUse, Model, ModelInfo, ModelSource, Progress } from '../api/types';
import { toWireError, type WireError } from './wire-error';

/** A call's result, with the memory in use after it, so that `Model.memory()` can be synchronous in the page. */
export type Outcome<T> = { value: T; memory: MemoryUse } | { error: WireError };

/** The model's methods that run in the worker. */
export type CallName = keyof Calls | 'setAdapter' | 'release' | 'warm';

/** A loaded model and the names of its calls. */
export interface Loaded {
  info: ModelInfo;
  calls: CallName[];
}

type Listener<T> = Remote<((message: T) => void) & ProxyMarked>;

/** The options that can be sent to a worker. */
export type WireLoadOptions = Omit<LoadOptions, 'signal' | 'onProgress' | 'gpu'>;

/** The worker's side: holds one model. The page chooses an id per call, which `abort` refers to. */
export interface Session {
  /** `parts`: URLs of the worker's parts by their names (tools/bundle.mjs). */
  load(
    id: number,
    source: ModelSource,
    options: WireLoadOptions,
    onProgress?: Listener<Progress>,
    parts?: Record<string, string>,
  ): Promise<Outcome<Loaded>>;
  /** Whether a source, or without one any, could be loaded here. The worker stays as it was. */
  support(
    id: number,
    source: ModelSource | undefined,
    options: WireLoadOptions,
    parts?: Record<string, string>,
  ): Promise<Outcome<Support>>;
  /** Runs `name(...input, options)`, or `name(...input)` without options. Adds signal and onProgress to the options. */
  call(
    id: number,
    name: CallName,
    input: unknown[],
    options: object | undefined,
    onProgress?: Listener<CallProgress>,
  ): Promise<Outcome<unknown>>;
  /** Resolves once an idle model has let go of its memory, which it may have done since the last time that this was asked. */
  released(id: number): Promise<Outcome<void>>;
  /** Ends a call in progress; ignores an id that is done. */
  abort(id: number): void;
  dispose(): Promise<void>;
}

const NOTHING: MemoryUse = { weights: 0, activations: 0, peak: 0 };

/** Milliseconds between progress messages of a file. */
const PROGRESS_INTERVAL = 50;

/** A session that loads its model with `load`, and asks with `support`; the worker's are openModel and supportOf on navigator.gpu. */
export function createSession(
  load: (source: ModelSource, options: LoadOptions & { onRelease: () => void }) => Promise<Model>,
  support?: (source: ModelSource | undefined, options: LoadOptions) => Promise<Support>,
): Session {
  const controllers = new Map<number, AbortController>();
  let onRelease: () => void;
  const nextRelease = () =>
    new Promise<void>((resolve) => {
      onRelease = resolve;
    });
  let release = nextRelease();
  let model: Model | undefined;
  let loading = false;

  async function outcome<T>(id: number, run: (signal: AbortSignal) => Promise<T>): Promise<Outcome<T>> {
    const controller = new AbortController();
    controllers.set(id, controller);
    try {
      const value = await run(controller.signal);
      return { value, memory: model?.memory() ?? NOTHING };
    } catch (error) {
      return { error: toWireError(error) };
    } finally {
      controllers.delete(id);
    }
  }

  return {
    load: (id, source, options, onProgress, parts) =>
      outcome(id, async (signal) => {
        Object.assign(globalThis, { modernbertParts: parts });
        if (model || loading) throw new WorkerError('This worker already holds a model; start one worker per model.');
        loading = true;
        const progress = onProgress && throttled((message) => onProgress(message));
        try {
          const loaded = await load(source, {
            ...options,
            signal,
            onProgress: progress?.report,
            onRelease: () => onRelease(),
          });
          try {
            await progress?.flush();
            signal.throwIfAborted();
          } catch (error) {
            await loaded.dispose(); // the page will not learn of this model
            throw error;
          }
          model = loaded;
          return { info: model.info, calls: callsOf(model) };
        } finally {
          loading = false;
          onProgress?.[releaseProxy]();
        }
      }),

    support: (id, source, options, parts) =>
      outcome(id, (signal) => {
        Object.assign(globalThis, { modernbertParts: parts });
        return support!(source, { ...options, signal });
      }),

    async call(id, name, input, options, onProgress) {
      const result = await outcome(id, async (signal) => {
        if (!model) throw new WorkerError('This worker has no model: load one first.');
        const received: Promise<void>[] = [];
        const report = (progress: CallProgress) => {
          const sent = onProgress!(progress);
          sent.catch(() => {}); // awaited below, unless the call fails before
          received.push(sent);
        };
        const args = options ? [...input, { ...options, signal, ...(onProgress && { onProgress: report }) }] : input;
        try {
          const value = await (model[name] as (...args: unknown[]) => Promise<unknown>)(...args);
          await Promise.all(received); // an error in the page's callback fails the call
          return withoutMethods(value);
        } finally {
          onProgress?.[releaseProxy]();
        }
      });
      return 'value' in result ? transfer(result, buffersOf(result.value)) : result;
    },

    released: (id) =>
      outcome(id, async () => {
        await release;
        release = nextRelease();
      }),

    abort: (id) => controllers.get(id)?.abort(),

    async dispose() {
      for (const controller of controllers.values()) controller.abort();
      await model?.dispose();
      model = undefined;
    },
  };
}

const callsOf = (model: Model): CallName[] =>
  (Object.keys(model) as (keyof Model)[]).filter(
    (name): name is CallName => name !== 'info' && name !== 'memory' && name !== 'dispose',
  );

/** A result, or a list of them, without methods (`row` of Embeddings), which cannot be cloned: the page adds them again. */
function withoutMethods(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutMethods);
  if (value?.constructor !== Object) return value;
  return Object.fromEntries(Object.entries(value).filter(([, part]) => typeof part !== 'function'));
}

/** The buffers of embeddings and Tensors, to be transferred instead of copied. */
function buffersOf(value: unknown): ArrayBuffer[] {
  const parts = Object.values(value ?? {});
  const arrays = [...parts, ...parts.map((part) => (part as { data?: unknown })?.data)].filter((data) =>
    ArrayBuffer.isView(data),
  );
  return [...new Set(arrays.map((array) => array.buffer))].filter((buffer) => buffer instanceof ArrayBuffer);
}

/**
 * Sends at most one report per file and PROGRESS_INTERVAL, and always the last one: at once if the size is known, else on `flush`, which also
 * waits until everything is received.
 */
function throttled(send: (progress: Progress) => Promise<void>) {
  const lastSent = new Map<string, number>();
  const held = new Map<string, Progress>();
  const sent: Promise<void>[] = [];
  const pass = (progress: Progress, now: number) => {
    lastSent.set(progress.file, now);
    held.delete(progress.file);
    const received = send(progress);
    received.catch(() => {}); // an error in the page's callback is reported by flush
    sent.push(received);
  };
  return {
    report(progress: Progress) {
      const now = performance.now();
      const due = now - (lastSent.get(progress.file) ?? -Infinity) >= PROGRESS_INTERVAL;
      if (due || progress.loaded === progress.total) pass(progress, now);
      else held.set(progress.file, progress);
    },
    async flush() {
      for (const progress of held.values()) pass(progress, performance.now());
      await Promise.all(sent);
    },
  };
}
