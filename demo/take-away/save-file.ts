import { element } from '../dom';

/** Milliseconds after which every browser has begun to read a file. */
const LONG = 60_000;

/** Gives the user a file to keep. */
export function saveFile(name: string, blob: Blob): void {
  const href = URL.createObjectURL(blob);
  element('a', { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), LONG); // some browsers begin to read it late
}

export const jsonFile = (value: unknown): Blob =>
  new Blob([JSON.stringify(value, null, 1)], { type: 'application/json' });

/** How a formula begins. One sign alone is none. */
const FORMULA = /^[=+\-@\t\r]./s;

/**
 * A table as CSV, for spreadsheets too: with a byte order mark, without which they take it for another encoding, and with an apostrophe before texts
 * that they would take for formulas.
 */
export async function csvText(table: Record<string, string | number | undefined>[]): Promise<string> {
  const { unparse } = await import('papaparse').then((module) => module.default);
  return `\ufeff${unparse(table, { escapeFormulae: FORMULA })}\r\n`;
}

/** Rows with the same keys as a table. */
export const csvFile = async (rows: Parameters<typeof csvText>[0]): Promise<Blob> =>
  new Blob([await csvText(rows)], { type: 'text/csv' });
