import type { Part, Slot } from '../../kernels/step';
import { topK as topKStep } from '../../kernels/top_k';
import type { ChunkSizes } from '../family';
import type { Head } from './head';
import { tokenLogitsOf } from './logits';

/** Where all logits are NaN, no id is above another. */
function badCandidates(pairs: Float32Array): string | undefined {
  const ids = new Uint32Array(pairs.buffer, pairs.byteOffset, pairs.length);
  for (let i = 0; i < pairs.length; i += 2) {
    if (!(pairs[i + 1] >= 0) || ids[i] === 0xffffffff) return `the probability of a token is ${pairs[i + 1]}`;
  }
  return undefined;
}

/** A masked language model's k best tokens of each row: [rows, k] pairs of (u32 id, f32 softmax probability), best first. */
export const topK = (k: number): Head => ({
  key: `top_k ${k}`,
  by: 'row',
  problem: badCandidates,
  onCpu: (sequence) => sequence.best(k),
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
