import type { DecodeSparseOptions, SparseRow, SparseToken } from '../api/embeddings';
import type { OptionNames } from '../api/options';
import type { Call } from './call';
import { checkTopK, type Parts, tokenizerOf } from './common';

const OPTIONS: OptionNames<DecodeSparseOptions> = { topK: true, signal: true };

export const decodeSparse: Call = {
  options: OPTIONS,
  async run(parts: Parts, row: SparseRow, { topK, signal }: DecodeSparseOptions = {}): Promise<SparseToken[]> {
    checkTopK(topK);
    signal?.throwIfAborted();
    const { ids, weights } = row ?? {};
    if (!(ids?.length === weights?.length && ids !== undefined)) {
      throw new TypeError('decodeSparse needs a row of sparse embeddings: { ids, weights } of one length.');
    }
    const tokenizer = tokenizerOf(parts);
    const tokens = Array.from(ids, (tokenId, i) => ({ tokenId, weight: weights[i] }));
    return tokens
      .sort((a, b) => b.weight - a.weight)
      .slice(0, topK)
      .map(({ tokenId, weight }) => ({ token: tokenizer.decodeToken(tokenId), tokenId, weight }));
  },
};
