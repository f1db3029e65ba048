// The page in which the contenders run side by side: the same texts in, normalised mean embeddings out.
import { env, type FeatureExtractionPipeline, pipeline } from '@huggingface/transformers';
import { loadModel, type Model } from '../../src/index';
import { type Contender, PATHS, type PeerPage } from './contenders';

env.allowLocalModels = true;
env.allowRemoteModels = false;
env.localModelPath = `/${PATHS.models}/`;
env.backends.onnx.wasm!.wasmPaths = `/${PATHS.ort}/`;

/** The graph's weights lie in the checkpoint's own file (tools/onnx/slim.py). */
const WEIGHTS = 'model.safetensors';

let own: Model | undefined;
const peers = new Map<Contender, FeatureExtractionPipeline>();

const page: PeerPage = {
  async load(contender) {
    const start = performance.now();
    let device: string;
    if (contender === 'modernbert-webgpu') {
      // The ONNX graph computes in f32 with the checkpoint's own f16 weights, so f32 arithmetic gives the same numbers.
      own = await loadModel(`/${PATHS.models}/nano-embed`, { arithmetic: 'f32' });
      const { vendor, architecture, description } = own.info.adapter;
      device = [vendor, architecture, description].filter(Boolean).join(' '); // browsers leave some empty
    } else {
      const kind = contender === 'transformers.js webgpu' ? 'webgpu' : 'wasm';
      const session_options = { externalData: [{ path: WEIGHTS, data: WEIGHTS }] };
      peers.set(
        contender,
        await pipeline('feature-extraction', 'nano-embed', { device: kind, dtype: 'fp32', session_options }),
      );
      device = kind === 'wasm' ? `${crossOriginIsolated ? navigator.hardwareConcurrency : 1} threads` : 'WebGPU';
    }
    return { ms: performance.now() - start, device };
  },

  async embed(contender, texts) {
    const start = performance.now();
    if (contender === 'modernbert-webgpu') {
      const { data, dim } = await own!.embed(texts, { pooling: 'mean' });
      return { ms: performance.now() - start, dim, data: Array.from(data) };
    }
    const output = await peers.get(contender)!(texts, { pooling: 'mean', normalize: true });
    const data = output.data as Float32Array;
    const result = { ms: performance.now() - start, dim: output.dims[1], data: Array.from(data) };
    output.dispose();
    return result;
  },
};

Object.assign(window, { peerPage: page });
