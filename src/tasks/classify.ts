import type { CallOptions, LabelScore } from '../api';
import type { Item } from '../scheduler';
import { encode, needs, type Parts, sigmoid, softmax } from './common';

/** Model.classify for several texts. */
export async function classify(
  parts: Parts,
  texts: string[],
  { signal, onProgress, truncate }: CallOptions = {},
): Promise<LabelScore[][]> {
  const { config, info, submit } = parts;
  needs(parts, 'seqcls', 'classify');
  const results: LabelScore[][] = [];
  const items = (await encode(parts, texts, { signal, truncate })).map(
    ({ ids }, i): Item => ({
      ids,
      wanted: [
        {
          head: { kind: 'sequence_logits' },
          deliver(logits) {
            const scores = config.multi_label ? Array.from(logits, sigmoid) : softmax(logits);
            results[i] = info.labels.map((label, l) => ({ label, score: scores[l] })).sort((a, b) => b.score - a.score);
          },
        },
      ],
    }),
  );
  await submit(items, { signal, onProgress });
  return results;
}
