import type { Chunk } from 'modernbert-webgpu/node';
import type { Sql } from './schema';

export interface Document {
  /** A path or title, unique in the index. */
  name: string;
  text: string;
}

/** Key of a chunk. */
export interface ChunkKey {
  document: string;
  position: number;
}

/** Postgres text cannot hold NUL or lone surrogates. Their replacement has the same length, so that offsets stay valid. */
export const storable = (text: string): string =>
  text.replace(/\0|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, '\uFFFD');

/** Id of a document, computed from its name and text: the same on every machine. */
export async function documentId({ name, text }: Document): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`${name}\0${text}`));
  const hex = Array.from(new Uint8Array(digest, 0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

export async function hasDocument(sql: Sql, id: string): Promise<boolean> {
  return (await sql.query('SELECT 1 FROM passages.documents WHERE id = $1', [id])).rows.length > 0;
}

/**
 * Adds a document with its chunks, without embeddings. Replaces a document of the same name; does nothing if this one is already stored.
 * Call it in a transaction.
 */
export async function addDocument(sql: Sql, id: string, { name, text }: Document, chunks: Chunk[]): Promise<void> {
  await sql.query('DELETE FROM passages.documents WHERE name = $1 AND id <> $2', [name, id]);
  const { rows } = await sql.query(
    'INSERT INTO passages.documents (id, name, text) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id',
    [id, name, text],
  );
  if (rows.length === 0) return;
  const values = chunks.map(({ text, start, end, tokens }, position) => ({ position, start, end, tokens, text }));
  await sql.query(
    `INSERT INTO passages.chunks (document, position, start_offset, end_offset, tokens, text)
     SELECT $1::uuid, c.position, c.start, c."end", c.tokens, c.text
     FROM json_to_recordset($2::text::json) AS c (position integer, start integer, "end" integer, tokens integer, text text)`,
    [id, JSON.stringify(values)],
  );
}

/** Chunks without an embedding, in a fixed order. */
export async function waitingChunks(sql: Sql, limit: number): Promise<(ChunkKey & { text: string })[]> {
  const { rows } = await sql.query<ChunkKey & { text: string }>(
    `SELECT document, position, text FROM passages.chunks WHERE embedding IS NULL
     ORDER BY document, position LIMIT $1`,
    [limit],
  );
  return rows;
}

/** pgvector's text form. Nine digits are enough to read every f32 back exactly. */
export const vectorText = (row: Float32Array): string =>
  `[${Array.from(row, (x) => Number(x.toPrecision(9))).join(',')}]`;

/** Stores `row(i)` as the embedding of `keys[i]`. Skips chunks deleted in the meantime; storing twice is harmless. */
export async function storeEmbeddings(sql: Sql, keys: ChunkKey[], row: (i: number) => Float32Array): Promise<void> {
  const values = keys.map(({ document, position }, i) => ({ document, position, embedding: vectorText(row(i)) }));
  await sql.query(
    `UPDATE passages.chunks AS c SET embedding = e.embedding::vector
     FROM json_to_recordset($1::text::json) AS e (document uuid, position integer, embedding text)
     WHERE c.document = e.document AND c.position = e.position`,
    [JSON.stringify(values)],
  );
}

export interface IndexSize {
  documents: number;
  chunks: number;
  /** Chunks without an embedding. */
  waiting: number;
}

export async function indexSize(sql: Sql): Promise<IndexSize> {
  const { rows } = await sql.query<IndexSize>(
    `SELECT (SELECT count(*) FROM passages.documents)::integer AS documents,
            (SELECT count(*) FROM passages.chunks)::integer AS chunks,
            (SELECT count(*) FROM passages.chunks WHERE embedding IS NULL)::integer AS waiting`,
  );
  return rows[0];
}

/** Chunks `from` to `to` (inclusive) of a document. */
export interface Share {
  document: string;
  from: number;
  to: number;
}

/** Most chunks per share. */
const SHARE = 32;

/** All chunks without an embedding, as shares of work. */
export async function waitingShares(sql: Sql): Promise<Share[]> {
  const { rows } = await sql.query<Share>(
    `SELECT document, min(position) AS "from", max(position) AS "to" FROM passages.chunks WHERE embedding IS NULL
     GROUP BY document, position / ${SHARE} ORDER BY document, "from"`,
  );
  return rows;
}

/** The chunks of a share that are still without an embedding. */
export async function waitingShare(sql: Sql, { document, from, to }: Share): Promise<(ChunkKey & { text: string })[]> {
  const { rows } = await sql.query<ChunkKey & { text: string }>(
    `SELECT document, position, text FROM passages.chunks
     WHERE document = $1 AND position BETWEEN $2 AND $3 AND embedding IS NULL ORDER BY position`,
    [document, from, to],
  );
  return rows;
}
