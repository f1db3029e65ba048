/** A search index in Postgres with pgvector. See docs/guide/search.md. */

/** Common to PGlite, its transactions, and the clients of `pg`. */
export interface Sql {
  query<Row>(text: string, values?: unknown[]): Promise<{ rows: Row[] }>;
}

/** The model of an index. Embeddings of other models, dtypes or sizes cannot be compared with those in the index. */
export interface IndexModel {
  /** Hub id or folder name. */
  name: string;
  dtype: string;
  dim: number;
}

/** pgvector's limit for HNSW indexes on a `vector`. */
const MAX_DIM = 2000;

/**
 * Statements that create the tables. Offsets are UTF-16 code units, as in JavaScript: a chunk's text is
 * `document.text.slice(start_offset, end_offset)`. Chunks without an embedding are found by word search only.
 */
export const schema = (dim: number): string[] => [
  'CREATE EXTENSION IF NOT EXISTS vector',
  'CREATE SCHEMA passages',
  `CREATE TABLE passages.model (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  name text NOT NULL,
  dtype text NOT NULL,
  dim integer NOT NULL
)`,
  `CREATE TABLE passages.documents (
  id uuid PRIMARY KEY, -- the first 128 bits of SHA-256 over name, NUL and text
  name text NOT NULL UNIQUE,
  text text NOT NULL
)`,
  `CREATE TABLE passages.chunks (
  document uuid NOT NULL REFERENCES passages.documents ON DELETE CASCADE,
  position integer NOT NULL,
  start_offset integer NOT NULL,
  end_offset integer NOT NULL,
  tokens integer NOT NULL,
  text text NOT NULL,
  embedding vector(${dim}),
  tsv tsvector GENERATED ALWAYS AS (to_tsvector('english', text)) STORED,
  PRIMARY KEY (document, position)
)`,
  'CREATE INDEX chunks_words ON passages.chunks USING gin (tsv)',
  'CREATE INDEX chunks_waiting ON passages.chunks (document, position) WHERE embedding IS NULL',
];

/** The index's model; undefined if there is no index. */
export async function indexModel(sql: Sql): Promise<IndexModel | undefined> {
  const { rows } = await sql.query<{ found: boolean }>("SELECT to_regclass('passages.model') IS NOT NULL AS found");
  if (!rows[0].found) return undefined;
  return (await sql.query<IndexModel>('SELECT name, dtype, dim FROM passages.model')).rows[0];
}

/** Throws an Error if the index was made with another model. */
export function checkModel(index: IndexModel, model: IndexModel): void {
  if (index.name === model.name && index.dtype === model.dtype && index.dim === model.dim) return;
  const words = ({ name, dtype, dim }: IndexModel) => `${name} (${dtype}, ${dim} dimensions)`;
  throw new Error(
    `The index was made with ${words(index)}; vectors of ${words(model)} cannot be compared with its vectors. Load the index's model, or clear the index and rebuild it.`,
  );
}

/**
 * Creates the tables, or checks that the existing ones belong to this model. Call it in a transaction, whose lock makes concurrent
 * processes wait. Throws a RangeError for embeddings that pgvector cannot index, an Error for an index of another model.
 */
export async function openIndex(sql: Sql, model: IndexModel): Promise<void> {
  if (model.dim > MAX_DIM) {
    throw new RangeError(
      `pgvector can index vectors of at most ${MAX_DIM} dimensions; ${model.name} has ${model.dim}.`,
    );
  }
  await sql.query("SELECT pg_advisory_xact_lock(hashtext('passages'))");
  const found = await indexModel(sql);
  if (found) return checkModel(found, model);
  for (const statement of schema(model.dim)) await sql.query(statement);
  await sql.query('INSERT INTO passages.model (name, dtype, dim) VALUES ($1, $2, $3)', [
    model.name,
    model.dtype,
    model.dim,
  ]);
}

/** Deletes the index. */
export const clearIndex = (sql: Sql): Promise<unknown> => sql.query('DROP SCHEMA IF EXISTS passages CASCADE');
