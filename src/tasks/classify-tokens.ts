import type { CallOptions, TokenLabel } from '../api';
import type { Item } from '../scheduler';
import { encode, needs, type Parts, softmax } from './common';

/** Model.classifyTokens for several texts. */
export async function classifyTokens(
  parts: Parts,
  texts: string[],
  { signal, onProgress, truncate }: CallOptions = {},
): Promise<TokenLabel[][]> {
  const { info, submit } = parts;
  needs(parts, 'tokcls', 'classifyTokens');
  const results: TokenLabel[][] = [];
  const items = (await encode(parts, texts, { signal, truncate })).map(({ ids, tokens, offsets }, i): Item => {
    // Tokens that the post-processor added ([CLS], [SEP]) have no place in the text.
    const rows = Uint32Array.from(ids.keys()).filter((row) => offsets[row][1] > 0);
    results[i] = [];
    return {
      ids,
      wanted: [
        {
          head: { kind: 'logits' },
          rows,
          deliver(logits, width) {
            results[i] = Array.from(rows, (row, r): TokenLabel => {
              const scores = softmax(logits.subarray(r * width, (r + 1) * width));
              const best = scores.indexOf(Math.max(...scores));
              const [start, end] = offsets[row];
              return { token: tokens[row], index: row, start, end, label: info.labels[best], score: scores[best] };
            });
          },
        },
      ],
    };
  });
  await submit(items, { signal, onProgress });
  return results;
}
