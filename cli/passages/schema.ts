/**
 * A searchable index of texts in Postgres with pgvector: the same tables in a page (PGlite), on a server, and in the SQL file that leads from
 * one to the other. See docs/guide/search.md.
 */

/** What PGlite, its transactions, and clients of npm `pg` have in common. */
export interface Sql {
  query<Row>(text: string, values?: unknown[]): Promise<{ rows: Row[] }>;
}

/** What made an index's vectors. Vectors of anything else cannot be compared with them. */
export interface IndexModel {
  /** Hub id, or the name of the folder. */
  name: string;
  dtype: string;
  dim: number;
}

/** pgvector's limit for a `vector` that is to have an HNSW index. */
const MAX_DIM = 2000;

/**
 * The tables. Offsets are UTF-16 code units, as in JavaScript: a chunk's text is `document.text.slice(start_offset, end_offset)`. A chunk without
 * an embedding still waits for it; words find it already.
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

/** The model that made the index, or undefined where there is no index. */
export async function indexModel(sql: Sql): Promise<IndexModel | undefined> {
  const { rows } = await sql.query<{ found: boolean }>("SELECT to_regclass('passages.model') IS NOT NULL AS found");
  if (!rows[0].found) return undefined;
  return (await sql.query<IndexModel>('SELECT name, dtype, dim FROM passages.model')).rows[0];
}

/** Throws an Error where the index was made with another model. */
export function checkModel(index: IndexModel, model: IndexModel): void {
  if (index.name === model.name && index.dtype === model.dtype && index.dim === model.dim) return;
  const words = ({ name, dtype, dim }: IndexModel) => `${name} (${dtype}, ${dim} numbers)`;
  throw new Error(
    `The index was made with ${words(index)}; vectors of ${words(model)} cannot be compared with its own. Load the index's model, or clear the index and build it again.`,
  );
}

/**
 * Makes the tables unless they are there, and checks that they belong to this model. Call it in a transaction: several processes may come
 * at once, and the lock that they wait at is the transaction's.
 */
export async function openIndex(sql: Sql, model: IndexModel): Promise<void> {
  if (model.dim > MAX_DIM) {
    throw new RangeError(`pgvector can index vectors of at most ${MAX_DIM} numbers, ${model.name} gives ${model.dim}.`);
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
