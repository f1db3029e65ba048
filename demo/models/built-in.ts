// The models that come with the page. Nothing of them is fetched before they are used.
import type { Choice } from './model-store';

/** A model that comes with the page, and what the reader may want to know before it is fetched. */
export interface BuiltIn extends Choice {
  source: string;
  /** Of its weights, which are the download but for half a megabyte. */
  bytes: number;
  /** Millions. */
  parameters: number;
  maxTokens: number;
}

/** Its folder has its name. With a `dtype` the file is converted, and loads as no other. */
const builtIn = (model: Omit<BuiltIn, 'source'>): BuiltIn => ({ ...model, source: `./models/${model.name}` });

export const NANO = builtIn({ name: 'nano', bytes: 16_364_504, parameters: 8, maxTokens: 8192 });
const NANO_EMBED = builtIn({ name: 'nano-embed-q4', dtype: 'q4', bytes: 4_567_352, parameters: 8, maxTokens: 8192 });
const MINILM = builtIn({ name: 'all-MiniLM-L6-v2', dtype: 'q4', bytes: 13_398_592, parameters: 23, maxTokens: 256 });

/** Those that embed; the first, by default, because it finds more per megabyte (the table of its card). */
export const EMBEDDERS = [NANO_EMBED, MINILM];
