// One load in a process of its own, as bench/load.ts asks for it; prints an object.
import { create, globals } from 'webgpu';
import type { WebGPU } from '../../src/api/types';
import { loadModel } from '../../src/node';
import { firstLoad } from '../../src/runtime/first-load';
import { everyLoad } from '../../src/session/every-load';
import { now, startProbe } from './probe';
import type { Load, Timeline } from './timeline';

Object.assign(globalThis, globals);
const marks = startProbe();
const spans: Pick<Timeline, 'tokenizer' | 'check'> = {};

const { tokenizerOf } = everyLoad;
everyLoad.tokenizerOf = (...args) => {
  const from = now();
  const tokenizer = tokenizerOf(...args);
  spans.tokenizer = [from, now()];
  return tokenizer;
};
const { findWrong } = firstLoad;
firstLoad.findWrong = async (...args) => {
  const from = now();
  const wrong = await findWrong(...args);
  spans.check ??= [from, now()];
  return wrong;
};

/** It leaves in its buffers what was in their memory, so what is read back is made zeros. */
function zeros(): void {
  GPUBuffer.prototype.getMappedRange = function (this: GPUBuffer, _, bytes = this.size) {
    return new ArrayBuffer(bytes);
  };
}

const { source, backend, cacheFolder }: Load = JSON.parse(process.argv[2]);
if (backend === 'null') zeros();
const gpu = create(backend === 'null' ? ['backend=null'] : []) as WebGPU;
/** What is alive; garbage is collected for that, so times mean nothing then. */
const held = () => {
  gc!();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};
const isMeasured = typeof gc === 'function';
const before = isMeasured ? held() : 0;
const most = { held: before, at: 0 };
const start = now();
const model = await loadModel(source, {
  gpu,
  cacheFolder,
  cache: 'always',
  dtype: 'f16',
  selfCheck: backend !== 'null', // it computes nothing right
  onProgress({ file, loaded }) {
    if (!isMeasured || !file.endsWith('.safetensors') || loaded < most.at + 8e6) return;
    Object.assign(most, { held: Math.max(most.held, held()), at: loaded });
  },
});
const loaded = now();
const ofLoad = { ...marks };
await model.embed('A short query.').catch((error: Error) => {
  if (backend !== 'null') throw error; // zeros are no embedding
});
const timeline: Timeline = { start, ...ofLoad, ...spans, loaded, embedded: now(), state: model.info.cache.state };
console.log(JSON.stringify({ ...timeline, mostHeld: isMeasured ? most.held - before : undefined }));
process.exit(0); // Dawn's threads would keep the process alive.
