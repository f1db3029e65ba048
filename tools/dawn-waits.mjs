// For Vitest's setupFiles: Dawn's Node binding looks for finished work in a loop of setImmediate. That keeps a core busy and takes it from the software
// driver: compiling the kernels of a model took 27 s of CPU, and takes 12 s if Dawn looks once a millisecond. It reads the global at each turn.
globalThis.setImmediate = /** @type {typeof setImmediate} */ (
  /** @type {unknown} */ ((/** @type {() => void} */ look) => setTimeout(look, 1))
);
