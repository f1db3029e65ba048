/** A model that needs no GPU: its vectors depend on a text's words, so that texts with words in common are near to each other. */
import type { ChunkOptions } from '../api/calls';
import type { EmbedOptions } from '../api/embeddings';
import type { ModelInfo } from '../api/types';
import { seededRandom } from '../seeded-random';
import type { IndexModel, IndexStore } from './types';

/** Numbers from -1 to 1, the same for the same seed. */
export function random(seed: number): () => number {
  const uniform = seededRandom(seed);
  return () => 2 * uniform() - 1;
}

const hash = (word: string) => [...word].reduce((sum, char) => (Math.imul(sum, 31) + char.codePointAt(0)!) | 0, 7);
const wordsOf = (text: string) => text.split(/\s+/).filter(Boolean);

interface Options {
  dim?: number;
  maxTokens?: number;
  info?: Partial<ModelInfo>;
  embeddingSpace?: string;
}

/** Tokens are words between spaces, without special ones. `embedded`: all texts that were embedded, with their prompts. */
export function wordModel({ dim = 24, maxTokens = 512, info = {}, embeddingSpace }: Options = {}) {
  const embedded: string[] = [];
  const state = { embedded, embeddingSpace, beforeEmbed: async (_texts: string[]) => {} };
  const vectorOf = (text: string) => {
    const sum = new Float32Array(dim);
    for (const word of wordsOf(text.toLowerCase())) {
      const next = random(hash(word));
      for (let c = 0; c < dim; c++) sum[c] += next();
    }
    return sum;
  };
  const model = {
    info: {
      maxTokens,
      maxTokensPerPass: 8192,
      embeddingSize: dim,
      prompts: {},
      promptNames: { query: 'query', document: 'document' },
      similarity: 'cosine',
      pooling: ['mean'],
      config: { model_type: 'words' },
      dtype: 'f32',
      ...info,
    },
    async embed(texts: string[], options: EmbedOptions) {
      const { signal, onProgress, kind, prompt, promptName, precision, normalize, dimensions = dim } = options;
      const before = prompt ?? (model.info.prompts as Record<string, string>)[promptName ?? kind!] ?? '';
      signal?.throwIfAborted();
      await state.beforeEmbed(texts);
      signal?.throwIfAborted();
      const rows = texts.map((text, i) => {
        const count = wordsOf(before + text).length;
        if (count > maxTokens && !options.truncate)
          throw new RangeError(`Text ${i} has ${count} tokens, the model's limit is ${maxTokens}.`);
        embedded.push(before + text);
        const row = vectorOf(before + text).subarray(0, dimensions);
        const length = normalize ? Math.hypot(...row) : 1;
        const unit = row.map((x) => x / length);
        if (precision !== 'int8') return unit;
        const most = Math.max(...unit.map(Math.abs));
        return Int8Array.from(unit, (x) => Math.round((127 * x) / most));
      });
      onProgress?.({ done: texts.length, total: texts.length, tokens: 1, totalTokens: 1 });
      const data = new (precision === 'int8' ? Int8Array : Float32Array)(texts.length * dimensions);
      for (const [i, row] of rows.entries()) data.set(row, i * dimensions);
      const row = (i: number) => data.subarray(i * dimensions, (i + 1) * dimensions);
      return { data, rows: texts.length, dim: dimensions, row, embeddingSpace: state.embeddingSpace };
    },
    async chunk(texts: string | string[], { maxTokens: most = maxTokens, overlap = 0 }: ChunkOptions) {
      if (overlap > most / 2) throw new RangeError(`overlap must be at most ${most / 2}, it is ${overlap}.`);
      return [texts].flat().map((text) => {
        const words = [...text.matchAll(/\S+/g)];
        const parts = [];
        for (let first = 0; ; first += most - overlap) {
          const own = words.slice(first, first + most);
          const [start, end] = [own[0].index, own.at(-1)!.index + own.at(-1)![0].length];
          parts.push({ text: text.slice(start, end), start, end, tokens: own.length });
          if (first + most >= words.length) return parts;
        }
      });
    },
    tokenize: async (text: string) => ({ ids: Uint32Array.from(wordsOf(text), hash) }),
  };
  return Object.assign(state, { model: model as unknown as IndexModel });
}

/** A store in memory: what docs/guide/search.md shows as an example of one. */
export function memoryStore(): IndexStore & { writes: number } {
  let header: Awaited<ReturnType<IndexStore['read']>> extends infer S
    ? (S extends { header: infer H } ? H : never) | undefined
    : never;
  const records = new Map();
  return {
    writes: 0,
    read: async () => header && { header, records: [...records.values()] },
    async write(change) {
      if ((header?.revision ?? 0) !== change.base) return false;
      this.writes++;
      header = change.header;
      if (change.clear) records.clear();
      for (const id of change.remove) records.delete(id);
      for (const record of change.put) records.set(record.id, record);
      return true;
    },
    close() {},
  };
}
