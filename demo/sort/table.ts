import { csvText } from '../take-away/save-file';
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

/** All files with their classes as CSV. A file that came under several names has a row for each. */
export function csvOf(
  documents: Iterable<Document>,
  labels: ReadonlyMap<string, string>,
  scores: ReadonlyMap<string, Score[]>,
): Promise<string> {
  return csvText(
    [...documents].flatMap(({ hash, names }) => {
      const found = classOf(hash, labels, scores);
      const confidence = found?.score === undefined ? '' : found.score.toFixed(3);
      return names.map((file) => ({ file, class: found?.label ?? '', confidence, 'labelled by': found?.by ?? '' }));
    }),
  );
}
