// ONNX Runtime Web's WebGPU provider in this Node over the pack's Dawn: node peer.mjs f32|f16 STOCK.json OUT.json
//
// Runs the queries and sets that the benchmark measured on ModernBERT-base's shape, from token ids to normalised mean embeddings in
// JavaScript. The folder peer beside this file comes from the add-on. PYTHON makes the weights at the first use; DAWN_TOGGLES: Dawn toggles.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { create, globals } from './webgpu.mjs';

/** Most tokens of a batch, including padding: 32 documents of 512. */
const BATCH_TOKENS = 16384;
const REPEATS = 3;
const QUERY_REPEATS = 20;
const PEER = join(import.meta.dirname, 'peer');

/**
 * @typedef {{ name: string, batches: number[][], repeats: number }} Work
 * @typedef {{ mode: string, name: string, tokens: number, sequences: number, padded_tokens: number, ms?: number, runs?: number,
 *   first_ms?: number, tokens_per_s?: number, nan?: boolean, failure?: string }} Result
 * @typedef {{ input_ids: import('onnxruntime-web').Tensor, attention_mask: import('onnxruntime-web').Tensor }} Inputs
 */

/** @param {string} message */
const stop = (message) => {
  console.error(`ONNX Runtime Web was not measured: ${message}`);
  process.exit(1);
};
/** @param {unknown} error */
const firstLine = (error) =>
  String(error instanceof Error ? error.message : error)
    .split('\n')[0]
    .slice(0, 300);
/** @param {number[]} values */
const sum = (values) => values.reduce((a, b) => a + b, 0);

/** Batches of lengths, longest first, each of at most BATCH_TOKENS tokens including padding. @param {number[]} lengths */
const batchesOf = (lengths) => {
  /** @type {number[][]} */
  const batches = [];
  for (const length of lengths.toSorted((a, b) => b - a)) {
    const last = batches.at(-1);
    if (last && (last.length + 1) * last[0] <= BATCH_TOKENS) last.push(length);
    else batches.push([length]);
  }
  return batches;
};

/** What the report of the stage stock measured on the model base. @param {string} path @returns {Work[]} */
const workOf = (path) => {
  /** @type {import('../report').Report} */
  const { queries, sets } = JSON.parse(readFileSync(path, 'utf8'));
  const work = [
    ...queries.map(({ model, tokens }) => ({
      model,
      name: `query-${tokens}`,
      lengths: [tokens],
      repeats: QUERY_REPEATS,
    })),
    ...sets.map(({ model, name, lengths }) => ({ model, name, lengths, repeats: REPEATS })),
  ].filter(({ model }) => model === 'base');
  // The report has one entry per tier.
  const first = new Map(work.toReversed().map((item) => [item.name, item]));
  return [...first.values()]
    .toReversed()
    .map(({ name, lengths, repeats }) => ({ name, batches: batchesOf(lengths), repeats }));
};

/** ONNX Runtime Web, made to use the pack's Dawn. */
const loadOrt = async () => {
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, 'navigator', {
    value: { gpu: create([]), userAgent: 'node', hardwareConcurrency: 1 },
  });
  // Dawn's binding takes no views of shared memory, which ONNX Runtime's memory is. ONNX Runtime passes bytes, offset and size.
  const { writeBuffer } = GPUQueue.prototype;
  GPUQueue.prototype.writeBuffer = function (buffer, offset, data, from = 0, size = data.byteLength - from) {
    return writeBuffer.call(this, buffer, offset, /** @type {Uint8Array} */ (data).slice(from, from + size));
  };
  /** @type {typeof import('onnxruntime-web')} */
  const ort = await import(join(PEER, 'ort.webgpu.bundle.min.mjs'));
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = readFileSync(join(PEER, 'ort-wasm-simd-threaded.asyncify.wasm'));
  ort.env.logLevel = 'error';
  return ort;
};

/** @param {typeof import('onnxruntime-web')} ort @param {number[]} lengths @param {number} vocab @returns {Inputs} */
const inputsOf = ({ Tensor }, lengths, vocab) => {
  const shape = [lengths.length, lengths[0]];
  const ids = BigInt64Array.from({ length: shape[0] * shape[1] }, (_, i) => BigInt((i * 7919) % vocab));
  const mask = new BigInt64Array(ids.length);
  for (const [row, length] of lengths.entries()) mask.fill(1n, row * shape[1], row * shape[1] + length);
  return { input_ids: new Tensor('int64', ids, shape), attention_mask: new Tensor('int64', mask, shape) };
};

/**
 * Fills in the result as it goes, so that what was measured before a failure stays.
 * @param {import('onnxruntime-web').InferenceSession} session @param {Inputs[]} batches @param {number} repeats @param {Result} result
 */
const measure = async (session, batches, repeats, result) => {
  /** @type {number[]} */
  const times = [];
  for (let run = -1; run < repeats; run++) {
    const start = performance.now();
    for (const inputs of batches) {
      const { sentence_embedding } = await session.run(inputs);
      const values = /** @type {Float32Array} */ (await sentence_embedding.getData(true));
      if (!values.every(Number.isFinite)) result.nan = true;
    }
    const time = performance.now() - start;
    if (run < 0) {
      result.first_ms = time; // compiles the shaders
      continue;
    }
    times.push(time);
    result.runs = times.length;
    result.ms = times.toSorted((a, b) => a - b)[times.length >> 1];
    result.tokens_per_s = (1000 * result.tokens) / result.ms;
  }
};

const [mode, stock, out] = process.argv.slice(2);
const graph = join(PEER, mode);
if (!existsSync(join(PEER, 'ort.webgpu.bundle.min.mjs'))) {
  stop(
    'the folder peer is missing. Unpack bench-pack-peer.tar.xz where the pack was unpacked; README.md says how it is made.',
  );
}
if (!existsSync(join(graph, 'model.onnx')))
  stop(`${join(graph, 'model.onnx')} does not exist; the add-on was made without it.`);
if (!existsSync(stock)) stop(`${stock} does not exist. Run the stage stock first: its sets are measured.`);
const work = workOf(stock);
if (work.length === 0) stop(`${stock} has no results for the model base, whose shape is compared.`);
if (!existsSync(join(graph, 'weights.bin'))) {
  try {
    execFileSync(process.env.PYTHON ?? 'python3', [join(import.meta.dirname, 'peer_graph.py'), 'weights', graph], {
      stdio: 'inherit',
    });
  } catch (error) {
    stop(`the weights could not be made (${firstLine(error)}). Set PYTHON to a Python that has numpy.`);
  }
}
/** @type {{ config: { vocab_size: number } }} */
const { config } = JSON.parse(readFileSync(join(graph, 'weights.json'), 'utf8'));

const ort = await loadOrt();
const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
const report = {
  date: new Date().toISOString(),
  commit: process.env.BENCH_COMMIT,
  runtime: `ONNX Runtime Web ${ort.env.versions.web}, Node ${process.versions.node}`,
  adapter: adapter?.info.device,
  driver: adapter?.info.description,
  toggles: (process.env.DAWN_TOGGLES ?? '').split(',').filter(Boolean),
  batch_tokens: BATCH_TOKENS,
  load_ms: 0,
  failure: /** @type {string | undefined} */ (undefined),
  results: /** @type {Result[]} */ ([]),
};
const write = () => writeFileSync(out, `${JSON.stringify(report, null, 1)}\n`);

const started = performance.now();
const session = await ort.InferenceSession.create(readFileSync(join(graph, 'model.onnx')), {
  executionProviders: ['webgpu'],
  externalData: [{ path: 'weights.bin', data: readFileSync(join(graph, 'weights.bin')) }],
}).catch((error) => {
  report.failure = `the graph could not be loaded: ${firstLine(error)}`;
  write();
  return stop(report.failure);
});
report.load_ms = performance.now() - started;
console.log(`${report.runtime}: loaded in ${report.load_ms.toFixed(0)} ms`);
for (const { name, batches, repeats } of work) {
  const tokens = sum(batches.flat());
  /** @type {Result} */
  const result = {
    mode,
    name,
    tokens,
    sequences: batches.flat().length,
    padded_tokens: sum(batches.map((b) => b.length * b[0])),
  };
  report.results.push(result);
  try {
    await measure(
      session,
      batches.map((lengths) => inputsOf(ort, lengths, config.vocab_size)),
      repeats,
      result,
    );
  } catch (error) {
    result.failure = firstLine(error);
  }
  const { ms = Number.NaN, tokens_per_s = Number.NaN, nan, failure } = result;
  const found = failure
    ? `failed: ${failure}`
    : `${ms.toFixed(2).padStart(10)} ms ${tokens_per_s.toFixed(0).padStart(12)} tokens/s`;
  console.log(`${mode} ${name.padEnd(16)} ${found}${nan ? ' NaN' : ''}`);
  write();
}
// Dawn would keep Node alive.
process.exit(report.results.some(({ nan, failure }) => nan || failure) ? 1 : 0);
