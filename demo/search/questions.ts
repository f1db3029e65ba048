import type { IndexSearchOptions } from '../../src/search';
import { embeddingSpace, questions } from './questions.json';

/** What the page proposes to look for in the sample. */
export const QUESTIONS = Object.keys(questions);

/**
 * The embedding of a proposed question by the model that made the sample's vectors, so that meaning answers before that model is there; undefined
 * for any other text. Int8, in base64, written by tools/make-sample.ts.
 */
export function embeddingOf(text: string): IndexSearchOptions['embedding'] {
  if (!Object.hasOwn(questions, text)) return undefined;
  const data = Int8Array.from(atob(questions[text as keyof typeof questions]), (char) => char.charCodeAt(0));
  return { data, rows: 1, dim: data.length, row: () => data, embeddingSpace };
}
