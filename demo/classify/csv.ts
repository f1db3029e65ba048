import { parse } from 'papaparse';
import { largest } from '../extremes';

export interface Example {
  text: string;
  label: string;
}

/** A CSV file: `columns` are its first row's names, or Column 1, … where `hasHeader` is false. */
export interface Table {
  columns: string[];
  rows: string[][];
}

/** Rows of a CSV or TSV text; the delimiter is found. Throws an Error in words if there is nothing to choose from. */
export function parseRows(name: string, text: string): string[][] {
  const { data, errors } = parse<string[]>(text.replace(/^\ufeff/, ''), { skipEmptyLines: 'greedy' });
  const quotes = errors.find(({ type }) => type === 'Quotes');
  if (quotes) throw new Error(`${name} has a broken quote in row ${(quotes.row ?? 0) + 1}: ${quotes.message}.`);
  if (data.length === 0) throw new Error(`${name} has no rows.`);
  if (data[0].length < 2) {
    throw new Error(`${name} has one column. Give a file with a column for the text and one for its class.`);
  }
  return data;
}

export function asTable(rows: string[][], hasHeader: boolean): Table {
  const width = largest(rows.map((row) => row.length));
  const names = hasHeader ? rows[0] : [];
  const columns = Array.from({ length: width }, (_, i) => names[i]?.trim() || `Column ${i + 1}`);
  return { columns, rows: hasHeader ? rows.slice(1) : rows };
}

/** What the columns look like: the text is the longest on average, the class the other one with the fewest different values. */
export function guessColumns(rows: string[][]): { hasHeader: boolean; text: number; label: number } {
  const body = rows.slice(1);
  const indices = [...rows[0].keys()];
  const meanLength = (i: number) => body.reduce((sum, row) => sum + (row[i] ?? '').length, 0);
  const distinct = (i: number) => new Set(body.map((row) => row[i] ?? '')).size;
  const text = indices.reduce((best, i) => (meanLength(i) > meanLength(best) ? i : best));
  const others = indices.filter((i) => i !== text);
  // A single value for all rows is no class.
  const rank = (i: number) => (distinct(i) < 2 ? Number.POSITIVE_INFINITY : distinct(i));
  const label = others.reduce((best, i) => (rank(i) < rank(best) ? i : best));
  const named = /^(text|sentence|document|content|message|label|class|category|target)s?$/i;
  const first = rows[0].map((cell) => cell.trim());
  const hasHeader = first.some((cell) => named.test(cell)) || !body.some((row) => row[label]?.trim() === first[label]);
  return { hasHeader, text, label };
}

/** A table's rows as examples. Rows without a text or a class are left out and counted; line breaks in a text become spaces. */
export function toExamples(table: Table, text: number, label: number): { examples: Example[]; left: number } {
  const examples = table.rows
    .map((row) => ({ text: row[text]?.trim().replace(/\s*\n\s*/g, ' ') ?? '', label: row[label]?.trim() ?? '' }))
    .filter((example) => example.text && example.label);
  return { examples, left: table.rows.length - examples.length };
}
