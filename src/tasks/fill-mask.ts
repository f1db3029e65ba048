import type { CallOptions, Candidate, MaskResult } from '../api';
import { ModelFileError } from '../errors';
import type { Item } from '../scheduler';
import { encode, needs, type Parts, tokenizerOf } from './common';

/** Model.fillMask for several texts. */
export async function fillMask(
  parts: Parts,
  texts: string[],
  { signal, onProgress, truncate, topK = 5 }: CallOptions & { topK?: number } = {},
): Promise<MaskResult[][]> {
  const { config, submit, where } = parts;
  needs(parts, 'mlm', 'fillMask');
  if (!Number.isInteger(topK) || topK < 1 || topK > config.vocab_size) {
    throw new RangeError(`topK must be an integer from 1 to the vocabulary's ${config.vocab_size}, it is ${topK}.`);
  }
  const { maskTokenId, maskToken } = tokenizerOf(parts);
  if (maskTokenId === undefined) throw new ModelFileError(`The tokenizer of ${where} has no mask token.`);
  const results: MaskResult[][] = [];
  const items = (await encode(parts, texts, { signal, truncate })).map(({ ids, offsets }, i): Item => {
    const rows = Uint32Array.from(ids.keys()).filter((row) => ids[row] === maskTokenId);
    if (rows.length === 0) throw new RangeError(`Text ${i} has no ${maskToken}: there is nothing to fill.`);
    return {
      ids,
      wanted: [
        {
          head: { kind: 'top_k', k: topK },
          rows,
          deliver(data, width) {
            const words = new Uint32Array(data.buffer, data.byteOffset, data.length);
            results[i] = Array.from(rows, (row, m) => ({
              index: row,
              start: offsets[row][0],
              end: offsets[row][1],
              candidates: Array.from({ length: topK }, (_, c): Candidate => {
                const tokenId = words[m * width + 2 * c];
                return { token: tokenizerOf(parts).decodeToken(tokenId), tokenId, score: data[m * width + 2 * c + 1] };
              }),
            }));
          },
        },
      ],
    };
  });
  await submit(items, { signal, onProgress });
  return results;
}
