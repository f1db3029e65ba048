import { type ChunkKey, vectorText } from './documents';
import type { Sql } from './schema';

export type SearchMode = 'semantic' | 'hybrid' | 'words';

/** A search result. The score of a search that did not find it is undefined. */
export interface Passage extends ChunkKey {
  name: string;
  start: number;
  end: number;
  /** The passage's text in pieces; `match` marks words of the query. */
  pieces: { text: string; match: boolean }[];
  cosine: number | undefined;
  /** ts_rank of the query's words. */
  words: number | undefined;
  /** Reciprocal rank fusion: the sum of 1 / (60 + rank) over the searches that found it. */
  fused: number;
}

/** Private-use characters around the matches in ts_headline's result. */
const [OPEN, CLOSE] = ['\uE000', '\uE001'];

/**
 * Semantic and word search, the best 100 of each, merged by reciprocal rank fusion (Cormack et al., SIGIR 2009).
 * $1: the query's vector, or NULL for word search only. $2: a tsquery, or '' for semantic search only. $3: a tsquery whose words are marked.
 * $4: limit. The inner ORDER BY … LIMIT uses a pgvector HNSW index if there is one; otherwise the search is exact.
 */
const SEARCH = `
WITH nearest AS (
  SELECT document, position, embedding <=> $1::vector AS distance FROM passages.chunks
  WHERE $1::vector IS NOT NULL AND embedding IS NOT NULL
  ORDER BY embedding <=> $1::vector LIMIT 100
), semantic AS (
  SELECT *, row_number() OVER (ORDER BY distance, document, position) AS rank FROM nearest
), matching AS (
  SELECT document, position, ts_rank(tsv, $2::tsquery) AS score FROM passages.chunks
  WHERE tsv @@ $2::tsquery ORDER BY score DESC, document, position LIMIT 100
), words AS (
  SELECT *, row_number() OVER (ORDER BY score DESC, document, position) AS rank FROM matching
), merged AS (
  SELECT document, position, 1 - distance AS cosine, words.score AS words,
         coalesce(1.0 / (60 + semantic.rank), 0) + coalesce(1.0 / (60 + words.rank), 0) AS fused
  FROM semantic FULL JOIN words USING (document, position)
  ORDER BY fused DESC, document, position LIMIT $4
)
SELECT document, position, documents.name, start_offset, end_offset, cosine, words, fused::float8,
       ts_headline('english', chunks.text, $3::tsquery, 'HighlightAll=true, StartSel=${OPEN}, StopSel=${CLOSE}') AS marked
FROM merged JOIN passages.chunks USING (document, position) JOIN passages.documents ON id = document
ORDER BY fused DESC, document, position`;

/** A tsquery for any of the text's words, the last of which may be a prefix. Words are letters and digits only, so quotes need no escaping. */
export function wordsQuery(text: string): string {
  const words = text.match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.map((word, i) => `'${word}'${i === words.length - 1 ? ':*' : ''}`).join(' | ');
}

interface Row extends ChunkKey {
  name: string;
  start_offset: number;
  end_offset: number;
  cosine: number | null;
  words: number | null;
  fused: number;
  marked: string;
}

/** The best passages, best first. Without `embedding` (the query's), only words are searched. Mode 'semantic' marks matching words but does not rank by them. */
export async function search(
  sql: Sql,
  query: { text: string; embedding: Float32Array | undefined; mode: SearchMode; limit: number },
): Promise<Passage[]> {
  const { text, embedding, mode, limit } = query;
  const terms = wordsQuery(text);
  // to_tsquery does the stemming and drops stop words.
  const { rows: parsed } = await sql.query<{ terms: string }>("SELECT to_tsquery('english', $1)::text AS terms", [
    terms,
  ]);
  const stems = parsed[0].terms;
  const vector = mode !== 'words' && embedding ? vectorText(embedding) : null;
  const { rows } = await sql.query<Row>(SEARCH, [vector, mode === 'semantic' ? '' : stems, stems, limit]);
  return rows.map(({ document, position, name, start_offset, end_offset, cosine, words, fused, marked }) => ({
    document,
    position,
    name,
    start: start_offset,
    end: end_offset,
    pieces: piecesOf(marked),
    cosine: cosine ?? undefined,
    words: words ?? undefined,
    fused,
  }));
}

const piecesOf = (marked: string): Passage['pieces'] =>
  marked.split(OPEN).flatMap((part, i) => {
    if (i === 0) return part ? [{ text: part, match: false }] : [];
    const [match, ...rest] = part.split(CLOSE);
    const after = rest.join('');
    return [{ text: match, match: true }, ...(after ? [{ text: after, match: false }] : [])];
  });
