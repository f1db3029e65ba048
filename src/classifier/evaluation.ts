import { bestOf, calibrationError, logLoss } from './calibration';
import type { Evaluation, LabelEvaluation } from './types';

/** What is known of examples before they are tested. */
export interface Given {
  labels: string[];
  targets: number[];
  duplicates: number[];
  conflicts: number[];
}

/** An evaluation without measures. */
export function untested({ labels, targets, ...given }: Given, reason: string): Evaluation {
  const none = labels.map((label, c) => ({ label, examples: sizeOf(targets, c), support: 0 }));
  const confusion = labels.map(() => labels.map(() => 0));
  return { folds: 0, reason, examples: targets.length, tested: 0, labels: none, confusion, mistakes: [], ...given };
}

/** Measures of the examples with the indices `tested`, whose probabilities are the rows of `shares`. */
export function evaluate(
  { labels, targets, ...given }: Given,
  folds: number,
  tested: readonly number[],
  shares: readonly Float64Array[],
): Evaluation {
  const truth = tested.map((i) => targets[i]);
  const said = shares.map(bestOf);
  const confusion = labels.map(() => labels.map(() => 0));
  for (const [t, c] of truth.entries()) confusion[c][said[t]]++;
  const perLabel = labels.map((label, c) => measuresOf(label, c, sizeOf(targets, c), confusion));
  const scores = perLabel.flatMap(({ f1 }) => (f1 === undefined ? [] : [f1]));
  const accuracy = sum(confusion.map((row, c) => row[c])) / tested.length;
  const wrong = [...tested.keys()].filter((t) => said[t] !== truth[t]);
  return {
    folds,
    examples: targets.length,
    tested: tested.length,
    accuracy,
    accuracyInterval: confidence(accuracy, tested.length),
    macroF1: sum(scores) / scores.length,
    logLoss: logLoss(shares, truth),
    calibrationError: calibrationError(shares, truth),
    labels: perLabel,
    confusion,
    mistakes: wrong.map((t) => ({ index: tested[t], label: labels[said[t]], score: shares[t][said[t]] })),
    ...given,
  };
}

function measuresOf(label: string, c: number, examples: number, confusion: number[][]): LabelEvaluation {
  const right = confusion[c][c];
  const support = sum(confusion[c]);
  const predicted = sum(confusion.map((row) => row[c]));
  const measures: LabelEvaluation = { label, examples, support };
  if (predicted > 0) measures.precision = right / predicted;
  if (support > 0) measures.recall = right / support;
  if (support + predicted > 0) measures.f1 = (2 * right) / (support + predicted);
  return measures;
}

/** Where a share that was seen in `n` cases may really lie, at 95% (Wilson's interval). */
export function confidence(share: number, n: number): [low: number, high: number] {
  const z2 = 1.96 ** 2;
  const middle = (share + z2 / (2 * n)) / (1 + z2 / n);
  const half = (1.96 * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n * n))) / (1 + z2 / n);
  return [middle - half, middle + half];
}

const sizeOf = (targets: number[], c: number): number => targets.filter((target) => target === c).length;

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
