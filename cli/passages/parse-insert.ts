/** Reads the INSERT lines of an exported index as data, so that nothing of a file that came from elsewhere runs as SQL. */

export type Value = string | number | null;

type ColumnType = 'text' | 'integer' | 'uuid' | 'vector';

export interface Table {
  table: string;
  columns: Record<string, ColumnType>;
  key: string[];
}

/** The tables with their columns and keys, in foreign-key order. */
export const TABLES: Table[] = [
  { table: 'model', columns: { name: 'text', dtype: 'text', dim: 'integer' }, key: ['name'] },
  { table: 'documents', columns: { id: 'uuid', name: 'text', text: 'text' }, key: ['id'] },
  {
    table: 'chunks',
    columns: {
      document: 'uuid',
      position: 'integer',
      start_offset: 'integer',
      end_offset: 'integer',
      tokens: 'integer',
      text: 'text',
      embedding: 'vector',
    },
    key: ['document', 'position'],
  },
];

/** How the INSERT lines of a table start. */
export const insertStart = ({ table, columns }: Table): string =>
  `INSERT INTO passages.${table} (${Object.keys(columns).join(', ')}) VALUES `;

export interface Insert {
  table: Table;
  rows: Record<string, Value>[];
}

/**
 * Parses one line as dumpIndex writes it: `INSERT INTO passages.… (our columns) VALUES (literals), …;`. Undefined if it does not start
 * like that. Throws an Error that names the place for anything else than literals of the columns' types.
 */
export function parseInsert(line: string): Insert | undefined {
  const table = TABLES.find((entry) => line.startsWith(insertStart(entry)));
  if (!table) return undefined;
  const columns = Object.entries(table.columns);
  const rows: Insert['rows'] = [];
  let at = insertStart(table).length;

  const found = () => (at < line.length ? `'${line.slice(at, at + 40)}'` : 'the end of the line');
  const fail = (expected: string) => new Error(`expected ${expected} at character ${at + 1}, found ${found()}`);
  const isNext = (text: string) => line.startsWith(text, at);
  const take = (text: string) => {
    if (!isNext(text)) throw fail(`'${text}'`);
    at += text.length;
  };

  do {
    if (rows.length > 0) take(', ');
    take('(');
    const row: Record<string, Value> = {};
    for (const [i, [name, type]] of columns.entries()) {
      if (i > 0) take(', ');
      const value = readLiteral(line, at, type);
      if (!value) throw fail(`${type === 'integer' ? 'an integer' : 'a quoted text'} for ${name}`);
      [row[name], at] = value;
    }
    take(')');
    rows.push(row);
  } while (isNext(','));
  take(';');
  if (at < line.length) throw fail('the end of the line');
  return { table, rows };
}

/** The literal at `at` and the place after it; undefined if there is none of this type. */
function readLiteral(line: string, at: number, type: ColumnType): [Value, number] | undefined {
  if (type === 'vector' && line.startsWith('NULL', at)) return [null, at + 4];
  if (type !== 'integer') return readString(line, at);
  const digits = /-?\d{1,10}(?!\d)/y;
  digits.lastIndex = at;
  const [number] = digits.exec(line) ?? [];
  return number === undefined ? undefined : [Number(number), at + number.length];
}

/** What follows a backslash in E'…'. */
const ESCAPES: Record<string, string> = { '\\': '\\', n: '\n', r: '\r' };

/** '…' or E'…', with only the escapes that the export writes. */
function readString(line: string, at: number): [string, number] | undefined {
  const escaped = line.startsWith("E'", at);
  if (!escaped && line[at] !== "'") return undefined;
  const special = escaped ? /['\\]/g : /'/g;
  let text = '';
  let from = at + (escaped ? 2 : 1);
  for (;;) {
    special.lastIndex = from;
    const stop = special.exec(line)?.index;
    if (stop === undefined) return undefined;
    text += line.slice(from, stop);
    const next = line[stop + 1];
    if (line[stop] === "'" && next !== "'") return [text, stop + 1];
    const char = line[stop] === "'" ? "'" : ESCAPES[next];
    if (char === undefined) return undefined;
    text += char;
    from = stop + 2;
  }
}
