// The page in which the contenders run side by side: the same texts in, normalised mean embeddings out.
import { loadModel, type Model } from '../../src/index';
import { type Answer, type Contender, PATHS, type PeerPage } from './contenders';
import { loadPeer } from './transformers';

const MODEL = 'nano-embed';

let own: Model | undefined;
const peers = new Map<Contender, (texts: string[]) => Promise<Answer>>();

const page: PeerPage = {
  async load(contender) {
    const start = performance.now();
    let device: string;
    if (contender === 'modernbert-webgpu') {
      // The ONNX graph computes in f32 with the checkpoint's f16 weights, so f32 arithmetic is the fair comparison: same numbers.
      own = await loadModel(`/${PATHS.models}/${MODEL}`, { arithmetic: 'f32' });
      const { vendor, architecture, description } = own.info.adapter;
      device = [vendor, architecture, description].filter(Boolean).join(' '); // browsers leave some of them empty
    } else {
      const kind = contender === 'transformers.js webgpu' ? 'webgpu' : 'wasm';
      peers.set(contender, await loadPeer(MODEL, kind, { models: `/${PATHS.models}/`, ort: `/${PATHS.ort}/` }));
      device = kind === 'wasm' ? `${crossOriginIsolated ? navigator.hardwareConcurrency : 1} threads` : 'WebGPU';
    }
    return { ms: performance.now() - start, device };
  },

  async embed(contender, texts) {
    if (contender !== 'modernbert-webgpu') return peers.get(contender)!(texts);
    const start = performance.now();
    const { data, dim } = await own!.embed(texts, { pooling: 'mean' });
    return { ms: performance.now() - start, dim, data: Array.from(data) };
  },
};

Object.assign(window, { peerPage: page });
