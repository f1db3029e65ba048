/** The libraries compared in a browser: this one, and transformers.js on each of its two devices. */
export const CONTENDERS = ['modernbert-webgpu', 'transformers.js webgpu', 'transformers.js wasm'] as const;
/** In Node, beside this one: ONNX Runtime Web's WebGPU provider with graphs of fused and of unfused attention. */
export const PEERS = ['onnxruntime-web fused', 'onnxruntime-web unfused'] as const;
export type Contender = (typeof CONTENDERS | typeof PEERS)[number];

/** The embeddings that one call returned, [texts, dim], and its time. */
export interface Answer {
  ms: number;
  dim: number;
  data: number[];
}

/** What the page offers to the program that controls it (side-by-side.ts). */
export interface PeerPage {
  load(contender: Contender): Promise<{ ms: number; device: string }>;
  embed(contender: Contender, texts: string[]): Promise<Answer>;
}

/** First parts of the paths under which server.ts serves what the page loads. */
export const PATHS = { models: 'models', ort: 'ort', code: 'code' } as const;
