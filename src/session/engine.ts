import { DeviceLostError, disposedError, NumericError, WebGPUUnavailableError } from '../api/errors';
import type { MemoryUse } from '../api/types';
import { messageOf } from '../formats/read';
import { guarded } from '../gpu/device';
import type { Turn } from '../kernels/tune';
import type { Runtime } from '../runtime/runtime';
import type { SchedulerOptions } from '../runtime/scheduler';
import { createIdle } from './idle';
import { startTuning, type Tuning } from './tuning';

/** A model on a device, and if its arithmetic may overflow what makes a runtime of it whose arithmetic does not. */
export interface Loaded {
  runtime: Runtime;
  /** Of a GLiNER model whose labels have an encoder of their own: that one, on the same device. */
  labels?: Runtime;
  precise?: () => Promise<Runtime>;
  /** Replaces kernels by faster ones, which it finds by measuring; undefined if nothing is left to be measured on the device. */
  tune?: (turn: Turn) => Promise<void>;
}

type Run = SchedulerOptions['run'];

/** Milliseconds after a loss in which another one is not recovered from: something is wrong with the device. */
const BETWEEN_LOSSES = 10_000;
/** Milliseconds before each attempt to find an adapter: a browser's GPU process takes a moment to start again. */
const ADAPTER_WAITS = [0, 500, 2000];

/** A device that is lost so often while it is measured is not measured any more: that may be the reason. */
const MOST_LOSSES = 2;

/** After so many sequences that overflow f16 all are computed with f32. */
const MOST_OVERFLOWS = 16;

export interface EngineOptions {
  /** Whether the model is loaded again after a loss. Otherwise a loss is final. */
  recover?: boolean;
  /** Milliseconds without a call after which the model is released. */
  keepAlive?: number;
  onRelease?: () => void;
}

/**
 * The runtime of a model, over the losses of its device: the pass that finds the device lost loads the model again, by `load`, before it runs once
 * more. So does the first pass after a release, which lets go of the device on purpose.
 */
export function createEngine(
  first: Loaded,
  load: (signal: AbortSignal) => Promise<Loaded>,
  { recover = true, keepAlive = Infinity, onRelease }: EngineOptions = {},
) {
  const end = new AbortController();
  let now = first;
  let isReleased = false;
  let loading: Promise<Loaded> | undefined;
  let precise: Promise<Runtime> | undefined;
  let tuning: Tuning | undefined;
  /** Losses that measuring may still have; none: nothing is measured any more. */
  let tuningLosses = MOST_LOSSES;
  let lastLoss = -Infinity;
  let overflows = 0;
  /** By the error of a loss, whether it was long after the one before. */
  const isRare = new WeakMap<DeviceLostError, boolean>();

  /** The model on a device that is not lost, as far as is known. */
  function alive(): Promise<Loaded> | Loaded {
    if (!isReleased && !(now.runtime.gpu.lost && recover)) return now;
    loading ??= reload().finally(() => {
      loading = undefined;
    });
    return loading;
  }

  const idle = createIdle(keepAlive, () => {
    const isFinal = end.signal.aborted || (now.runtime.gpu.lost && !recover);
    if (isReleased || isFinal) return;
    isReleased = true;
    now.runtime.dispose();
    onRelease?.();
  });
  const { using } = idle;

  async function reload(): Promise<Loaded> {
    now.runtime.dispose();
    precise = undefined;
    for (const [attempt, wait] of ADAPTER_WAITS.entries()) {
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      if (end.signal.aborted) throw disposedError();
      try {
        const loaded = await load(end.signal);
        if (end.signal.aborted) loaded.runtime.dispose();
        now = loaded;
        isReleased = false;
        return loaded;
      } catch (cause) {
        if (end.signal.aborted) throw disposedError();
        const mayPass =
          cause instanceof WebGPUUnavailableError || (isReleased && recover && cause instanceof DeviceLostError);
        if (mayPass && attempt + 1 < ADAPTER_WAITS.length) continue;
        if (isReleased) throw cause;
        throw new DeviceLostError(
          `The GPU device was lost, and the model could not be loaded again: ${messageOf(cause)}`,
          { cause },
        );
      }
    }
    throw new TypeError('unreachable');
  }

  /** What came before: a pass begins once the one before is submitted or has failed, also on another runtime of the device, whose errors it would take. */
  let before: Promise<unknown> = Promise.resolve();
  async function inTurn<T>(work: (done: () => void) => Promise<T>): Promise<T> {
    const last = before;
    let done = () => {};
    before = new Promise<void>((resolve) => {
      done = resolve;
    });
    await last;
    try {
      return await work(done);
    } finally {
      done();
    }
  }

  async function passOn(runtime: Runtime, ...[sequences, requests, options]: Parameters<Run>): ReturnType<Run> {
    const pass = () =>
      inTurn((done) => {
        const onSubmitted = () => {
          done();
          options.onSubmitted();
        };
        return runtime.run(sequences, requests, { ...options, onSubmitted });
      });
    return pass().catch(async (error: unknown) => {
      if (!(tuning && error instanceof RangeError)) throw error;
      // What is measured takes memory too, also between its pieces.
      tuningLosses = 0;
      await tuning.hurry();
      return pass();
    });
  }

  /** Once for each device, and not before it has given a result. */
  function tuneLater(loaded: Loaded): void {
    const { tune, runtime } = loaded;
    if (!tune || tuningLosses <= 0) return;
    loaded.tune = undefined;
    const isOver = () =>
      tuningLosses <= 0 || now !== loaded || isReleased || end.signal.aborted || runtime.gpu.lost !== undefined;
    const run: Turn = (piece) =>
      inTurn(() => guarded(runtime.gpu, async () => piece())).catch((error: unknown) => {
        if (error instanceof DeviceLostError && !isReleased) tuningLosses--;
        throw error;
      });
    tuning = startTuning(tune, idle, run, isOver);
  }

  const runText: Run = async (sequences, requests, options, isPrecise) => {
    const loaded = await alive();
    const wantsPrecise = isPrecise || isAlwaysPrecise();
    if (wantsPrecise && !precise && loaded.precise) {
      const own = inTurn(loaded.precise);
      precise = own;
      own.catch(() => {
        if (precise === own) precise = undefined; // the reason may be gone by the next time
      });
    }
    const runtime = wantsPrecise && precise ? await precise : loaded.runtime;
    const result = await passOn(runtime, sequences, requests, options, isPrecise);
    tuneLater(loaded);
    return result;
  };

  // A pass goes on after its calls were aborted.
  const run: Run = (...pass) => using(() => runText(...pass));
  const runLabels: Run = (...pass) => using(async () => passOn((await alive()).labels!, ...pass));

  /** Whether so many sequences overflow that the attempts with f16 only cost time. */
  const isAlwaysPrecise = () => overflows >= MOST_OVERFLOWS;

  return {
    run,
    runLabels,

    isWorthAnother(error: unknown): boolean {
      if (!recover || !(error instanceof DeviceLostError) || end.signal.aborted) return false;
      if (error !== now.runtime.gpu.lost) return isRare.get(error) ?? false; // of an earlier device
      if (!isRare.has(error)) {
        isRare.set(error, performance.now() - lastLoss > BETWEEN_LOSSES);
        lastLoss = performance.now();
      }
      return isRare.get(error)!;
    },

    wrongAnswer({ name = 'A sequence' }: { name?: string }, problem: string, isPrecise: boolean): Error | undefined {
      const { act, compute } = now.runtime.model;
      if (!isPrecise && now.precise) {
        if (++overflows === 1)
          console.warn(`modernbert-webgpu: ${name} overflows f16 and is computed with arithmetic 'f32'.`);
        if (overflows === MOST_OVERFLOWS)
          console.warn("modernbert-webgpu: many texts overflow f16: all are computed with arithmetic 'f32'.");
        return undefined;
      }
      const used = isPrecise ? 'f32' : act;
      return new NumericError(
        `${name} has no answer: ${problem}. Numbers overflow in this checkpoint with arithmetic '${used}' and compute '${compute}'. ${
          used === 'f16'
            ? "Load it with arithmetic: 'f32'."
            : compute === 'int8'
              ? "Load it with compute: 'float'."
              : 'Its weights are too large for f32, or the graphics driver computes something wrong.'
        }`,
      );
    },

    memory: (): MemoryUse => now.runtime.memoryUse(),

    using,

    /** Resolves when nothing is left to be measured, or measuring has failed; it does not wait for the model to be idle. */
    async tuned(): Promise<void> {
      await tuning?.hurry();
      if (end.signal.aborted) throw disposedError();
    },

    /** The calls of a model, none of which it is released in. */
    counted: <T extends object>(calls: T): T =>
      Object.fromEntries(
        Object.entries(calls).map(([name, call]) => [name, (...args: unknown[]) => using(() => call(...args))]),
      ) as T,

    async release(): Promise<void> {
      await idle.release();
      if (end.signal.aborted) throw disposedError();
    },

    dispose(): void {
      end.abort();
      idle.stop();
      now.runtime.dispose();
    },
  };
}
