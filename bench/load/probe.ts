// What a load does when, seen from outside of the library: WebGPU's calls and JSON.parse are patched in the thread that loads.

/** Moments in milliseconds since 1970, and sums in milliseconds. `…To` is the end of the last. */
export interface Marks {
  device?: number;
  /** Writes of at least 64 KiB to the GPU, but for the self-check's, and how long the thread was busy with them. */
  weightsFrom?: number;
  weightsTo?: number;
  writing: number;
  kernels: number;
  kernelsFrom?: number;
  kernelsTo?: number;
  /** How long the thread was busy with calls that begin a compilation: in Node Dawn's compiler runs in them. */
  compiling: number;
  /** How long the thread was busy with large JSON files. */
  parsing: number;
}

const LARGE = 1 << 16;

export const now = (): number => performance.timeOrigin + performance.now();

/** Begins to note, from now on; the globals must be WebGPU's. */
export function startProbe(): Marks {
  const marks: Marks = { writing: 0, kernels: 0, compiling: 0, parsing: 0 };
  /** Calls the function as before; `after` gets the milliseconds that it took, its result and its arguments. */
  function patch<O extends object, K extends keyof O>(
    owner: O,
    name: K,
    after: (ms: number, result: unknown, args: unknown[]) => void,
  ) {
    const own = owner[name] as (...args: unknown[]) => unknown;
    owner[name] = function (this: unknown, ...args: unknown[]) {
      const start = performance.now();
      const result = own.apply(this, args);
      after(performance.now() - start, result, args);
      return result;
    } as O[K];
  }
  patch(GPUAdapter.prototype, 'requestDevice', (_, device) => {
    void (device as Promise<unknown>).then(() => {
      marks.device = now();
    });
  });
  patch(GPUQueue.prototype, 'writeBuffer', (ms, _, [buffer, , data]) => {
    const isWeights = (data as ArrayBufferView).byteLength >= LARGE && (buffer as GPUBuffer).label !== 'self-check';
    if (!isWeights) return;
    marks.weightsFrom ??= now() - ms;
    marks.weightsTo = now();
    marks.writing += ms;
  });
  patch(GPUDevice.prototype, 'createShaderModule', (ms) => {
    marks.kernelsFrom ??= now() - ms;
    marks.compiling += ms;
  });
  patch(GPUDevice.prototype, 'createComputePipelineAsync', (ms, pipeline) => {
    marks.kernels++;
    marks.compiling += ms;
    void (pipeline as Promise<unknown>).then(() => {
      marks.kernelsTo = now();
    });
  });
  patch(JSON, 'parse', (ms, _, [text]) => {
    if (String(text).length >= LARGE) marks.parsing += ms;
  });
  return marks;
}
