import type { Score } from './ranking';
import type { Document } from './store';

/** What is known of the class of a document: of one that the user labelled only its label counts. */
export function classOf(
  hash: string,
  labels: ReadonlyMap<string, string>,
  scores: ReadonlyMap<string, Score[]>,
): { label: string; score?: number; by: 'you' | 'guess' } | undefined {
  const label = labels.get(hash);
  if (label !== undefined) return { label, by: 'you' };
  const best = scores.get(hash)?.[0];
  return best && { ...best, by: 'guess' };
}

/**
 * All files with their classes as CSV, for spreadsheets too: with a byte order mark, without which they take it for another encoding, and with an
 * apostrophe before names that they would take for formulas. A file that came under several names has a row for each.
 */
export async function csvOf(
  documents: Iterable<Document>,
  labels: ReadonlyMap<string, string>,
  scores: ReadonlyMap<string, Score[]>,
): Promise<string> {
  const { unparse } = await import('papaparse').then((module) => module.default);
  const data = [...documents].flatMap(({ hash, names }) => {
    const found = classOf(hash, labels, scores);
    const score = found?.score === undefined ? '' : found.score.toFixed(3);
    return names.map((name) => [name, found?.label ?? '', score, found?.by ?? '']);
  });
  const table = unparse({ fields: ['file', 'class', 'confidence', 'labelled by'], data }, { escapeFormulae: true });
  return `\ufeff${table}\r\n`;
}
