import type { Model } from '../../src/index';
import { unit, weightedSum } from './seeds';

/** What of the model embeds documents. */
export type Encoder = Pick<Model, 'embed' | 'chunk' | 'info'>;

/** Tokens of a part of a long text, and how many parts of it are read. */
export const PART = 512;
export const PARTS = 8;
/** Characters that are more than the parts that are read, whatever the language: what is behind them need not be cut. */
const MOST = PART * PARTS * 12;

/**
 * The vectors of documents, of unit length. A text is cut into parts of up to 512 tokens, or the model's limit; the vector is the mean of the first
 * eight's. So a paper of a hundred pages is no more work than one of eight.
 */
export async function embedDocuments(model: Encoder, texts: string[], signal: AbortSignal): Promise<Float32Array[]> {
  const maxTokens = Math.min(PART, model.info.maxTokens);
  const beginnings = texts.map((text) => text.slice(0, MOST));
  const parts = (await model.chunk(beginnings, { maxTokens, signal })).map((chunks) => chunks.slice(0, PARTS));
  const rows = await model.embed(
    parts.flat().map(({ text }) => text),
    { kind: 'document', normalize: true, truncate: true, signal },
  );
  let row = 0;
  return parts.map((own) => {
    const vectors = own.map(() => rows.row(row++));
    return unit(
      weightedSum(
        vectors,
        vectors.map(() => 1),
        rows.dim,
      ),
    );
  });
}

/** The vectors of the names of classes, as queries for documents, and the space of both kinds. */
export async function embedNames(
  model: Encoder,
  names: string[],
  signal: AbortSignal,
): Promise<{ space: string; vectors: Float32Array[] }> {
  const rows = await model.embed(names, { kind: 'query', normalize: true, truncate: true, signal });
  return {
    space: rows.embeddingSpace ?? `${rows.dim}`,
    vectors: names.map((_, i) => Float32Array.from(rows.row(i))),
  };
}
