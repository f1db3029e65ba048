import type { Evaluation } from '../../src/classifier';
import { largest } from '../extremes';

/** Most parts that labels are split into, of which each is guessed from the others. */
const FOLDS = 5;
/** Standard deviations to either side that 95% lie in. */
const Z = 1.96;

/** An example by its class, an index, and its text: equal texts stay together. */
export interface Labelled {
  target: number;
  text: string;
}

/** The part of each of one or more examples, and how many there are: every class is spread over them. */
export function foldsOf(examples: Labelled[]): { fold: number[]; folds: number } {
  const sizes = new Map<number, number>();
  for (const { target } of examples) sizes.set(target, (sizes.get(target) ?? 0) + 1);
  const folds = Math.min(FOLDS, largest([...sizes.values()]));
  const seen = new Map<string, number>();
  const next = new Map<number, number>();
  const fold = examples.map(({ target, text }) => {
    const known = seen.get(text);
    if (known !== undefined) return known;
    const at = next.get(target) ?? 0;
    next.set(target, at + 1);
    seen.set(text, at % folds);
    return at % folds;
  });
  return { fold, folds };
}

/** Where a share may really lie at 95%, of which `n` were seen: Wilson's interval. */
export function wilson(share: number, n: number): [low: number, high: number] {
  const z2 = Z * Z;
  const centre = share + z2 / (2 * n);
  const spread = Z * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n * n));
  const clamp = (x: number) => Math.min(1, Math.max(0, x / (1 + z2 / n)));
  return [clamp(centre - spread), clamp(centre + spread)];
}

/** How good guesses of held-out examples are. `shares`: [examples][classes], of each example guessed without its label. */
export function evaluationOf(
  classes: readonly string[],
  examples: Labelled[],
  shares: number[][],
  folds: number,
): Evaluation {
  const confusion = classes.map(() => classes.map(() => 0));
  const mistakes: Evaluation['mistakes'] = [];
  for (const [index, { target }] of examples.entries()) {
    const row = shares[index];
    const said = row.reduce((best, share, c) => (share > row[best] ? c : best), 0);
    confusion[target][said]++;
    if (said !== target) mistakes.push({ index, label: classes[said], score: row[said] });
  }
  const total = (counts: number[]) => counts.reduce((a, b) => a + b, 0);
  const ratio = (part: number, whole: number) => (whole === 0 ? undefined : part / whole);
  const labels = classes.map((label, c) => {
    const support = total(confusion[c]);
    const precision = ratio(confusion[c][c], total(confusion.map((row) => row[c])));
    return { label, examples: support, support, precision, recall: ratio(confusion[c][c], support) };
  });
  const tested = examples.length;
  const accuracy = 1 - mistakes.length / tested;
  const accuracyInterval = wilson(accuracy, tested);
  const known = { folds, examples: tested, tested, accuracy, accuracyInterval };
  return { ...known, labels, confusion, mistakes, duplicates: [], conflicts: [] };
}
