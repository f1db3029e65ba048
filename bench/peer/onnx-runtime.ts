// ONNX Runtime Web's WebGPU provider in Node, over a Dawn that is given.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as Ort from 'onnxruntime-web';
import { globals } from 'webgpu';

/** Most tokens of a batch, including padding: 32 documents of 512. */
export const BATCH_TOKENS = 16384;

const FOLDER = dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
// JSPI's build is smaller, but Node 20 has no WebAssembly.Suspending.
const SCRIPT = 'ort.webgpu.bundle.min.mjs';
const WASM = 'ort-wasm-simd-threaded.asyncify.wasm';
/** The name by which a graph calls the file of its weights. */
export const WEIGHTS = 'weights.bin';

/** ONNX Runtime Web, made to use `gpu`. Once per process. */
export async function loadOrt(gpu: GPU): Promise<typeof Ort> {
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, 'navigator', {
    value: { gpu, userAgent: 'node', hardwareConcurrency: 1 },
  });
  // Dawn's binding takes no views of shared memory, which ONNX Runtime's memory is. ONNX Runtime passes bytes, offset and size.
  const { writeBuffer } = GPUQueue.prototype;
  GPUQueue.prototype.writeBuffer = function (buffer, offset, data, from = 0, size = data.byteLength - from) {
    const copy = (data as Uint8Array).slice(from, from + size) as Uint8Array<ArrayBuffer>;
    return writeBuffer.call(this, buffer, offset, copy);
  };
  const ort: typeof Ort = await import(pathToFileURL(join(FOLDER, SCRIPT)).href);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = readFileSync(join(FOLDER, WASM));
  ort.env.logLevel = 'error';
  return ort;
}

/** Batches of sequences, by their places, longest first, each of at most BATCH_TOKENS tokens including padding. */
export function batchesOf(lengths: number[]): number[][] {
  const batches: number[][] = [];
  for (const i of lengths.map((_, i) => i).sort((a, b) => lengths[b] - lengths[a])) {
    const last = batches.at(-1);
    if (last && (last.length + 1) * lengths[last[0]] <= BATCH_TOKENS) last.push(i);
    else batches.push([i]);
  }
  return batches;
}

function inputsOf({ Tensor }: typeof Ort, sequences: Uint32Array[]) {
  const shape = [sequences.length, sequences[0].length];
  const ids = new BigInt64Array(shape[0] * shape[1]);
  const mask = new BigInt64Array(ids.length);
  for (const [row, sequence] of sequences.entries()) {
    ids.set(BigInt64Array.from(sequence, BigInt), row * shape[1]);
    mask.fill(1n, row * shape[1], row * shape[1] + sequence.length);
  }
  return { input_ids: new Tensor('int64', ids, shape), attention_mask: new Tensor('int64', mask, shape) };
}

/** A session; `embed` goes from token ids to the rows of their embeddings, in the order of the sequences. */
export async function onnxEmbedder(ort: typeof Ort, { model, data }: { model: Uint8Array; data: Uint8Array }) {
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ['webgpu'],
    externalData: [{ path: WEIGHTS, data }],
  });
  // After the first session Node 20 stands still until V8 has optimised the WebAssembly, 45 s of processor time. Without this wait the
  // next call, whoever's, would seem to take it.
  await new Promise((resolve) => setTimeout(resolve, 10));
  return {
    async embed(sequences: Uint32Array[]): Promise<Float32Array[]> {
      const rows: Float32Array[] = [];
      for (const batch of batchesOf(sequences.map(({ length }) => length))) {
        const inputs = inputsOf(
          ort,
          batch.map((i) => sequences[i]),
        );
        const { sentence_embedding } = await session.run(inputs);
        const values = (await sentence_embedding.getData(true)) as Float32Array;
        const width = values.length / batch.length;
        for (const [row, i] of batch.entries()) rows[i] = values.slice(row * width, (row + 1) * width);
      }
      return rows;
    },
    dispose: () => session.release(),
  };
}
