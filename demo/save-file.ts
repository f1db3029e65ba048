import { element } from './dom';

/** Gives the user a file to keep. */
export function saveFile(name: string, blob: Blob): void {
  const href = URL.createObjectURL(blob);
  element('a', { href, download: name }).click();
  URL.revokeObjectURL(href);
}

export const jsonFile = (value: unknown): Blob =>
  new Blob([JSON.stringify(value, null, 1)], { type: 'application/json' });

/** Rows with the same keys as a table. */
export async function csvFile(rows: Record<string, string | number | undefined>[]): Promise<Blob> {
  const { unparse } = await import('papaparse').then((module) => module.default);
  return new Blob([`${unparse(rows)}\r\n`], { type: 'text/csv' });
}
