import { proxy, type Remote } from 'comlink';
import type { CallOptions } from '../api/calls';
import type { Embeddings, SparseEmbeddings } from '../api/embeddings';
import { disposedError, unlessAborted } from '../api/errors';
import type { LoadOptions, MemoryUse, Model, ModelInfo, ModelSource, Progress } from '../api/types';
import { sparseEmbeddings } from '../sparse';
import { embeddingsOf } from '../tasks/embeddings-of';
import { workerParts } from '../worker-parts';
import type { Connection } from './connection';
import { absoluteSource, connectTo, taken } from './to-worker';
import type { CallName, Loaded, Session } from './worker-session';

export interface BrowserLoadOptions extends LoadOptions {
  /**
   * Where the model runs. `true` (default): in a new worker. `false`: in this thread, for callers that already are in a worker. A Worker that
   * runs `modernbert-webgpu/worker`: in that worker, which then belongs to the model and ends with it; for pages whose bundler or content
   * security policy requires them to create the worker. A function that makes such a worker also gets another one after a crash.
   */
  worker?: boolean | Worker | (() => Worker);
}

/**
 * Loads a checkpoint onto the GPU.
 *
 * Throws WebGPUUnavailableError (no WebGPU or adapter), ModelFileError (a file is missing or broken), UnsupportedModelError (the checkpoint
 * needs something that this library cannot compute), WorkerError (the worker does not start), DeviceLostError, or the reason of `signal`.
 */
export async function loadModel(source: ModelSource, options: BrowserLoadOptions = {}): Promise<Model> {
  const { worker, signal, onProgress, gpu, plain } = taken('loadModel', options);
  if (worker === false) {
    const [{ openModel }, { browserPlans: plans }, { browserStore: store }] = await Promise.all([
      import('./open'),
      import('../store/plans-browser'),
      import('../store/browser'),
    ]);
    return openModel(source, { ...plain, signal, onProgress, gpu: gpu ?? navigator.gpu, plans, store });
  }
  const start = async (signal?: AbortSignal, onProgress?: LoadOptions['onProgress']): Promise<Started> => {
    const connection = connectTo(worker);
    const report = (progress: Progress) => {
      if (!signal?.aborted) onProgress?.(progress);
    };
    try {
      const load = (session: Remote<Session>, id: number) =>
        session.load(id, absoluteSource(source), plain, onProgress && proxy(report), workerParts());
      const started = { connection, ...(await connection.request<Loaded>(signal, load)) };
      if (plain.keepAlive !== undefined) void hearReleases(started);
      return started;
    } catch (error) {
      connection.close();
      if (!canRestart || connection.crashedAt() === undefined || signal?.aborted) throw error;
      canRestart = false; // until it has started
      return start(signal, onProgress);
    }
  };
  const mayRestart = typeof worker !== 'object' && plain.recover !== false;
  let canRestart = mayRestart;
  const started = await start(signal, onProgress);
  return remoteModel(started, mayRestart ? start : undefined, (name) => {
    plain.adapter = name; // for a worker that takes over
  });
}

/** A worker with a loaded model. */
interface Started {
  connection: Connection;
  value: Loaded;
  memory: MemoryUse;
}

/** Keeps the memory in use up to date when an idle model lets go of it: no call says so. */
async function hearReleases(started: Started): Promise<void> {
  try {
    for (;;) {
      const { memory } = await started.connection.request(undefined, (session, id) => session.released(id));
      started.memory = memory;
    }
  } catch {} // the worker has ended
}

/** Milliseconds after a crash in which another one is not recovered from. */
const BETWEEN_CRASHES = 10_000;

/**
 * The page's Model: calls go to the worker; `info` and `memory()` return what the worker sent last. A call that finds the worker dead is sent
 * once more to a new one, by `restart`.
 */
function remoteModel(
  first: Started,
  restart: ((signal: AbortSignal) => Promise<Started>) | undefined,
  adapterChanged: (name: string | undefined) => void,
): Model {
  const end = new AbortController();
  let now = first;
  let restarting: Promise<Started> | undefined;
  let lastCrash = -Infinity;
  const { info, calls } = first.value;

  /** Another worker in place of one that crashed. */
  function replace(crashed: Started): Promise<Started> {
    if (now !== crashed) return Promise.resolve(now);
    restarting ??= restart!(end.signal)
      .then((started) => {
        now = started;
        if (end.signal.aborted) void started.connection.dispose();
        return started;
      })
      .finally(() => {
        restarting = undefined;
      });
    return restarting;
  }

  async function call(name: CallName, args: unknown[]): Promise<unknown> {
    const last = args.at(-1);
    const { signal, onProgress, ...options }: CallOptions = isOptions(last) ? last : {};
    const input = isOptions(last) ? args.slice(0, -1) : args;
    const ask = ({ connection }: Started) =>
      connection.request<unknown>(signal, (session, id) =>
        session.call(
          id,
          name,
          input.map(ownCopies),
          isOptions(last) ? (ownCopies(options) as object) : undefined,
          onProgress && proxy(onProgress),
        ),
      );
    const asked = now;
    const wasCrashed = asked.connection.crashedAt() !== undefined;
    const result = await ask(asked).catch(async (error: unknown) => {
      const crashedAt = asked.connection.crashedAt();
      if (!restart || crashedAt === undefined || signal?.aborted) throw error;
      end.signal.throwIfAborted();
      // A call that comes after the crash tries afresh; one that was under way does so only if crashes are rare.
      const isRare = crashedAt === lastCrash || crashedAt - lastCrash > BETWEEN_CRASHES;
      if (isRare) lastCrash = crashedAt;
      else if (!wasCrashed) throw error;
      return ask(await unlessAborted(replace(asked), signal));
    });
    now.memory = result.memory;
    return withMethods(result.value);
  }

  const remote = calls.map((name) => [name, (...args: unknown[]) => call(name, args)]);
  return {
    ...(Object.fromEntries(remote) as Pick<Model, CallName>),
    info,
    async setAdapter(name) {
      const changed = (await call('setAdapter', [name])) as ModelInfo;
      adapterChanged(changed.loraAdapter);
      return Object.assign(info, changed);
    },
    memory: () => now.memory,
    async dispose() {
      end.abort(disposedError());
      await now.connection.dispose();
      now.memory = { weights: 0, activations: 0, peak: now.memory.peak };
    },
  };
}

/** Whether an argument can be an options object: not a text, list or typed array. */
const isOptions = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);

/** Cloning a view would copy its whole buffer, so views in an argument are copied first. */
const ownCopies = (value: unknown): unknown =>
  isOptions(value)
    ? Object.fromEntries(
        Object.entries(value).map(([key, part]) => [
          key,
          part instanceof Uint32Array || part instanceof Float32Array ? part.slice() : part,
        ]),
      )
    : value;

/** Adds to a result, or a list of them, the methods that cannot be cloned (worker-session.ts). */
function withMethods(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withMethods);
  const { data, dim, offsets } = (value ?? {}) as Partial<Embeddings & SparseEmbeddings>;
  if (offsets instanceof Uint32Array) return sparseEmbeddings(value as SparseEmbeddings);
  return data && dim !== undefined ? embeddingsOf(value as Embeddings) : value;
}
