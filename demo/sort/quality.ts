import type { Evaluation } from '../../src/classifier';
import { percent, plural } from '../numbers';
import { ENOUGH } from './learn';
import { lacking } from './ranking';

/** Most classes that are named. */
const NAMED = 3;

/** What is known of how good the guesses are, or what it takes to know it. `evaluation`: of guesses without the labels, if there is one. */
export function qualityLine(
  classes: readonly string[],
  labels: ReadonlyMap<string, string>,
  evaluation: Evaluation | undefined,
  hasGuesses: boolean,
): string {
  const none = hasGuesses ? 'Guesses from the class names alone.' : 'Guesses come as the files are read.';
  const given = labels.size === 0 ? none : `${plural(labels.size, 'label')} so far.`;
  const wanted = lacking(classes, labels.values(), ENOUGH);
  if (wanted.length > 0) {
    const named = wanted.slice(0, NAMED).map(({ label, missing }) => `${label} ${missing}`);
    const list = named.join(', ') + (wanted.length > NAMED ? ' and others' : '');
    return `${given} Press the right class of each file, even where the guess is right. Two checked files per class test the guesses; missing: ${list}.`;
  }
  const { accuracy, accuracyInterval: [low, high] = [0, 1] } = evaluation ?? {};
  if (accuracy === undefined) return given;
  return `${given} ${percent(accuracy, 0)} right on held-out labels (${percent(low, 0)} to ${percent(high, 0)}).`;
}
