import { type Insert, insertStart, parseInsert, TABLES, type Table, type Value } from './parse-insert';
import { type IndexModel, indexModel, openIndex, type Sql, schema } from './schema';

/** Rows per INSERT. */
const ROWS = 50;

/** An SQL literal without line breaks: a dump has one statement per line, so that it can be read line by line. */
export const literal = (value: Value): string => {
  if (value === null) return 'NULL';
  if (typeof value === 'number') return String(value);
  const escaped = value.replace(/[\\'\n\r]/g, (c) => ({ '\\': '\\\\', "'": "''", '\n': '\\n', '\r': '\\r' })[c]!);
  return escaped.includes('\\') ? `E'${escaped}'` : `'${escaped}'`;
};

const insert = (table: Table, rows: Record<string, Value>[]): string => {
  const columns = Object.keys(table.columns);
  const values = rows.map((row) => `(${columns.map((column) => literal(row[column])).join(', ')})`);
  return `${insertStart(table)}${values.join(', ')};\n`;
};

/** The statements that create the tables, each on one line. */
const schemaLines = (dim: number): string[] =>
  schema(dim).map((statement) => `${statement.replace(/ *--.*$/gm, '').replace(/\s*\n\s*/g, ' ')};`);

/** How a dump starts. */
const HEADER = '-- modernbert-webgpu search index.';

/**
 * The index as plain SQL, one statement per line, a few rows at a time. `psql -f` loads it into any PostgreSQL with pgvector, in one
 * transaction, which fails without changes if there already is an index. pgvector prints vectors so that they read back exactly.
 */
export async function* dumpIndex(sql: Sql): AsyncGenerator<string> {
  const model = await indexModel(sql);
  if (!model) throw new Error('There is no index to export.');
  yield `${HEADER} Model: ${JSON.stringify(model)}. Load it with: psql -f FILE\n`;
  yield 'BEGIN;\n';
  for (const statement of schemaLines(model.dim)) yield `${statement}\n`;
  for (const entry of TABLES) {
    const { table, columns, key } = entry;
    let after: Value[] | undefined;
    for (;;) {
      const from = after ? `WHERE (${key.join(', ')}) > (${after.map((_, i) => `$${i + 1}`).join(', ')})` : '';
      const { rows } = await sql.query<Record<string, Value>>(
        `SELECT ${Object.entries(columns)
          .map(([column, type]) => (type === 'vector' ? `${column}::text` : column))
          .join(', ')}
         FROM passages.${table} ${from} ORDER BY ${key.join(', ')} LIMIT ${ROWS}`,
        after ?? [],
      );
      if (rows.length > 0) yield insert(entry, rows);
      if (rows.length < ROWS) break;
      after = key.map((column) => rows[rows.length - 1][column]);
    }
  }
  yield 'COMMIT;\n';
}

/** Lines that loadDump passes over: it makes the tables itself. The dimensions come later, with the model. */
const PASSED = new Set(['', 'BEGIN;', ...schemaLines(0)]);
const isPassed = (line: string) =>
  line.startsWith('--') || PASSED.has(line.replace(/ embedding vector\(\d+\)/, ' embedding vector(0)'));

/**
 * Loads a dump into a database without an index. Call it in a transaction. Runs nothing of the file: its rows are read as literals and
 * stored in tables made here. Throws an Error that names the line for anything that dumpIndex does not write.
 */
export async function loadDump(sql: Sql, dump: string): Promise<IndexModel> {
  if (!dump.startsWith(HEADER)) {
    throw new Error('This file is not an exported search index: its first line is not the one that the export writes.');
  }
  if (await indexModel(sql)) throw new Error('There is an index already. Clear it before you load another.');
  const lines = dump.trimEnd().split(/\r?\n/);
  const complete = lines.at(-1) === 'COMMIT;';
  if (complete) lines.pop();
  let model: IndexModel | undefined;
  for (const [i, line] of lines.entries()) {
    if (isPassed(line)) continue;
    const insert = readInsert(line, i + 1);
    try {
      if (insert.table === TABLES[0]) model = await storeModel(sql, insert, model);
      else if (model) await store(sql, insert);
      else throw new Error('the model of the index must come before its documents');
    } catch (cause) {
      throw new Error(`Line ${i + 1} cannot be loaded: ${(cause as Error).message}`, { cause });
    }
  }
  if (!model || !complete) throw new Error('The file is incomplete: it does not end with COMMIT.');
  return model;
}

function readInsert(line: string, number: number): Insert {
  let why = '';
  try {
    const insert = parseInsert(line);
    if (insert) return insert;
  } catch (error) {
    why = ` (${(error as Error).message})`;
  }
  throw new Error(
    `Line ${number} is not a statement of an exported search index${why}: ${line.slice(0, 80)}. Export the index again.`,
  );
}

/** Makes the tables, for this model. */
async function storeModel(sql: Sql, { rows }: Insert, before: IndexModel | undefined): Promise<IndexModel> {
  if (before || rows.length > 1) throw new Error('an index has one model only');
  const [{ name, dtype, dim }] = rows as unknown as [IndexModel];
  await openIndex(sql, { name, dtype, dim });
  return { name, dtype, dim };
}

async function store(sql: Sql, { table: { table, columns }, rows }: Insert): Promise<void> {
  const names = Object.keys(columns);
  const types = Object.entries(columns).map(([name, type]) => `${name} ${type}`);
  await sql.query(
    `INSERT INTO passages.${table} (${names.join(', ')}) SELECT ${names.map((name) => `r.${name}`).join(', ')}
     FROM json_to_recordset($1::text::json) AS r (${types.join(', ')})`,
    [JSON.stringify(rows)],
  );
}
