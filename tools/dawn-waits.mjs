// For Vitest's setupFiles: Dawn's Node binding looks for finished work in a loop of setImmediate, which keeps a core busy. golden.gpu.test.ts of the
// project card took 53 s of CPU that way, and 130 s on SwiftShader; if Dawn looks once a millisecond, 33 and 76 s. On an idle machine of two cores
// the tests end at most a tenth sooner, on one with other work in half the time. The binding reads the global at each turn.
globalThis.setImmediate = /** @type {typeof setImmediate} */ (
  /** @type {unknown} */ ((/** @type {() => void} */ look) => setTimeout(look, 1))
);
