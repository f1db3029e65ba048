import { type IndexModel, indexModel, type Sql, schema } from './schema';

/** Rows per INSERT. */
const ROWS = 50;

type Value = string | number | null;

/** An SQL literal without line breaks: a dump has one statement per line, so that it can be read line by line. */
export const literal = (value: Value): string => {
  if (value === null) return 'NULL';
  if (typeof value === 'number') return String(value);
  const escaped = value.replace(/[\\'\n\r]/g, (c) => ({ '\\': '\\\\', "'": "''", '\n': '\\n', '\r': '\\r' })[c]!);
  return escaped.includes('\\') ? `E'${escaped}'` : `'${escaped}'`;
};

const insert = (table: string, columns: string[], rows: Record<string, Value>[]): string =>
  `INSERT INTO passages.${table} (${columns.join(', ')}) VALUES ${rows
    .map((row) => `(${columns.map((column) => literal(row[column])).join(', ')})`)
    .join(', ')};\n`;

/** The tables with their columns and keys, in foreign-key order. */
const TABLES = [
  { table: 'model', columns: ['name', 'dtype', 'dim'], key: ['name'] },
  { table: 'documents', columns: ['id', 'name', 'text'], key: ['id'] },
  {
    table: 'chunks',
    columns: ['document', 'position', 'start_offset', 'end_offset', 'tokens', 'text', 'embedding'],
    key: ['document', 'position'],
  },
];

/**
 * The index as plain SQL, one statement per line, a few rows at a time. `psql -f` loads it into any PostgreSQL with pgvector, in one
 * transaction, which fails without changes if there already is an index. pgvector prints vectors so that they read back exactly.
 */
export async function* dumpIndex(sql: Sql): AsyncGenerator<string> {
  const model = await indexModel(sql);
  if (!model) throw new Error('There is no index to export.');
  yield `-- modernbert-webgpu search index. Model: ${JSON.stringify(model)}. Load it with: psql -f FILE\n`;
  yield 'BEGIN;\n';
  for (const statement of schema(model.dim)) yield `${statement.replace(/ *--.*$/gm, '').replace(/\s*\n\s*/g, ' ')};\n`;
  for (const { table, columns, key } of TABLES) {
    let after: Value[] | undefined;
    for (;;) {
      const from = after ? `WHERE (${key.join(', ')}) > (${after.map((_, i) => `$${i + 1}`).join(', ')})` : '';
      const { rows } = await sql.query<Record<string, Value>>(
        `SELECT ${columns.map((column) => (column === 'embedding' ? 'embedding::text' : column)).join(', ')}
         FROM passages.${table} ${from} ORDER BY ${key.join(', ')} LIMIT ${ROWS}`,
        after ?? [],
      );
      if (rows.length > 0) yield insert(table, columns, rows);
      if (rows.length < ROWS) break;
      after = key.map((column) => rows[rows.length - 1][column]);
    }
  }
  yield 'COMMIT;\n';
}

/** How the statements of a dump start. */
const STATEMENT =
  /^(CREATE (EXTENSION IF NOT EXISTS vector;|SCHEMA passages;|TABLE passages\.|INDEX chunks_)|INSERT INTO passages\.)/;

/**
 * Loads a dump into a database without an index. Call it in a transaction. Runs only statements of the kinds that dumpIndex writes;
 * throws an Error that names the line for any other.
 */
export async function loadDump(sql: Sql, dump: string): Promise<IndexModel> {
  const lines = dump.split('\n');
  if (!lines[0].startsWith('-- modernbert-webgpu search index.')) {
    throw new Error('This file is not an exported search index: its first line is not the one that the export writes.');
  }
  for (const [i, line] of lines.entries()) {
    if (line === '' || line.startsWith('--') || line === 'BEGIN;' || line === 'COMMIT;') continue;
    if (!STATEMENT.test(line) || !line.endsWith(';')) {
      throw new Error(`Line ${i + 1} is not a statement of an exported search index: ${line.slice(0, 80)}`);
    }
    await sql.query(line);
  }
  const model = lines.includes('COMMIT;') ? await indexModel(sql) : undefined;
  if (!model) throw new Error('The file is incomplete: it does not end with COMMIT.');
  return model;
}
