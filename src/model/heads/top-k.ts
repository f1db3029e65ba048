import type { Part, Slot } from '../../kernels/step';
import { topK as topKStep } from '../../kernels/top_k';
import type { ChunkSizes } from '../family';
import type { Head } from './head';
import { tokenLogitsOf } from './logits';

/** A masked language model's k best tokens of each row: [rows, k] pairs of (u32 id, f32 softmax probability), best first. */
export const topK = (k: number): Head => ({
  key: `top_k ${k}`,
  by: 'row',
  build(model) {
    const logits = tokenLogitsOf(model);
    const slot: Slot = { label: 'top_k', per: 'row', bytes: k * 8 };
    const best: Part<ChunkSizes> = { of: slot, range: ({ rows }) => ({ offset: 0, size: rows * k * 8 }) };
    const step = topKStep(
      { vocab: logits.columns, stride: logits.stride },
      { logits: logits.slot, best },
      (s: ChunkSizes) => s.rows,
    );
    return { steps: [...logits.steps, step], answer: slot, stride: k * 2, width: k * 2 };
  },
});
