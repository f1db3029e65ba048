import { embeddingsOf } from '../tasks/embeddings-of';
import type { EmbeddingModel } from './types';

/**
 * A model for tests, which embeds texts by a table: each a point on the unit circle, given by its angle in degrees. `calls` are those of embed.
 */
export function circleModel(angles: Record<string, number>, info: object = {}, embeddingSpace?: string) {
  const calls: { texts: string[]; options: Record<string, unknown> }[] = [];
  const model = {
    info: { embeddingSize: 2, hiddenSize: 8, vocabSize: 100, dtype: 'f32', config: { model_type: 'tiny' }, ...info },
    async embed(texts: string | string[], options: Record<string, unknown> = {}) {
      (options.signal as AbortSignal | undefined)?.throwIfAborted();
      const list = [texts].flat();
      calls.push({ texts: list, options });
      const data = Float32Array.from(
        list.flatMap((text) => {
          const turn = (angles[text] * Math.PI) / 180;
          return [Math.cos(turn), Math.sin(turn)];
        }),
      );
      (options.onProgress as ((progress: object) => void) | undefined)?.({ done: list.length, total: list.length });
      return embeddingsOf({ data, rows: list.length, dim: 2, embeddingSpace });
    },
  };
  return { model: model as unknown as EmbeddingModel, calls };
}
