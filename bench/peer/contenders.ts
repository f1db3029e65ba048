/** Who is compared: this library, and transformers.js on either of its devices. */
export const CONTENDERS = ['modernbert-webgpu', 'transformers.js webgpu', 'transformers.js wasm'] as const;
export type Contender = (typeof CONTENDERS)[number];

/** One call: texts in, embeddings as JavaScript numbers out. */
export interface Answer {
  ms: number;
  dim: number;
  data: number[];
}

/** What the page offers to the program that drives it (side-by-side.ts). */
export interface PeerPage {
  load(contender: Contender): Promise<{ ms: number; device: string }>;
  embed(contender: Contender, texts: string[]): Promise<Answer>;
}

/** Where the server (server.ts) has what the page loads. */
export const PATHS = { models: 'models', ort: 'ort', code: 'code' } as const;
