/** A table of tokens in place of a Transformer: StaticEmbedding and SparseStaticEmbedding, which need no GPU. */

/** A row of numbers per token id. */
export interface TokenTable {
  /** Ids: 0 to size - 1. */
  size: number;
  columns: number;
  data: Float32Array;
  /** Of model2vec: the row of `data` that an id has, and what it is multiplied by. */
  mapping?: Float64Array;
  weights?: Float64Array;
}

/** The mean of a text's rows, as torch's EmbeddingBag; zeros for a text without tokens. */
export function meanOf({ data, columns, mapping, weights }: TokenTable, ids: Uint32Array): Float64Array {
  const mean = new Float64Array(columns);
  for (const id of ids) {
    const start = (mapping ? mapping[id] : id) * columns;
    const factor = (weights ? weights[id] : 1) / ids.length;
    for (let c = 0; c < columns; c++) mean[c] += factor * data[start + c];
  }
  return mean;
}

/** The weights of a text's tokens, each once, by ascending id. */
export const presentOf = ({ data }: TokenTable, ids: Uint32Array): [id: number, weight: number][] =>
  [...new Set(ids)]
    .sort((a, b) => a - b)
    .map((id): [number, number] => [id, data[id]])
    .filter(([, weight]) => weight !== 0);
