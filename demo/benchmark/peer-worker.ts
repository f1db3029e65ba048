/**
 * transformers.js in a worker of its own: a worker has the policy of its own response, and only this one and the search tab's database
 * need 'wasm-unsafe-eval'. Its files are this site's, and are loaded when a race starts.
 */
import { expose } from 'comlink';
import wasm from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import type { Answer } from '../../bench/peer/contenders';
import { loadPeer } from '../../bench/peer/transformers';

let embed: ((texts: string[]) => Promise<Answer>) | undefined;

const peer = {
  /** `models`: path of the folder of models, with a slash at the end. */
  async load(model: string, device: 'webgpu' | 'wasm', models: string): Promise<void> {
    embed = await loadPeer(model, device, { models, ort: { wasm: new URL(wasm, import.meta.url).href } });
  },
  embed(texts: string[]): Promise<Answer> {
    if (!embed) throw new Error('The model is not loaded yet.');
    return embed(texts);
  },
};

export type Peer = typeof peer;

expose(peer);
