import { largest, smallest } from '../extremes';
import { seededRandom } from '../seeded-random';
import { type Examples, probabilities, trainHead } from './logistic-regression';

const FOLDS = 5;

/** How many folds the examples allow: 5, or as many as the smallest class has examples; 0 where a class has a single one. */
export function foldCount(targets: number[], classes: number): number {
  const least = smallest(classSizes(targets, classes));
  return least < 2 ? 0 : Math.min(FOLDS, least);
}

export function classSizes(targets: number[], classes: number): number[] {
  const sizes = Array<number>(classes).fill(0);
  for (const target of targets) sizes[target]++;
  return sizes;
}

/**
 * The fold of every example: each class is spread evenly over the folds, and so are the folds' sizes. Which example falls where
 * is mixed, but the same every time.
 */
export function stratifiedFolds(targets: number[], classes: number, folds: number): number[] {
  const random = seededRandom(1);
  const fold = Array<number>(targets.length);
  let next = 0;
  for (let c = 0; c < classes; c++) {
    const members = targets.flatMap((target, i) => (target === c ? [i] : []));
    for (let i = members.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [members[i], members[j]] = [members[j], members[i]];
    }
    for (const i of members) fold[i] = next++ % folds;
  }
  return fold;
}

/** The class of every example as a head says it that was trained without this example's fold. `onFold` hears how many are done. */
export function crossValidate(examples: Examples, folds: number, onFold?: (done: number) => void): number[] {
  const { features, dim, targets, classes } = examples;
  const fold = stratifiedFolds(targets, classes, folds);
  const predicted = Array<number>(targets.length);
  const rowOf = (i: number) => features.subarray(i * dim, (i + 1) * dim);
  for (let held = 0; held < folds; held++) {
    const kept = targets.flatMap((_, i) => (fold[i] === held ? [] : [i]));
    const part = new Float32Array(kept.length * dim);
    for (const [row, i] of kept.entries()) part.set(rowOf(i), row * dim);
    const head = trainHead({ features: part, dim, targets: kept.map((i) => targets[i]), classes });
    for (const i of targets.keys()) {
      if (fold[i] !== held) continue;
      const shares = probabilities(head, rowOf(i));
      predicted[i] = shares.indexOf(largest(shares));
    }
    onFold?.(held + 1);
  }
  return predicted;
}

/** `counts[truth][predicted]`, and per class how much of what was said was right and how much of what is was found. */
export interface Confusion {
  counts: number[][];
  accuracy: number;
  /** NaN for a class that was never said. */
  precision: number[];
  recall: number[];
}

export function confusion(targets: number[], predicted: number[], classes: number): Confusion {
  const counts = Array.from({ length: classes }, () => Array<number>(classes).fill(0));
  for (const [i, target] of targets.entries()) counts[target][predicted[i]]++;
  const right = counts.map((row, c) => row[c]);
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  return {
    counts,
    accuracy: sum(right) / targets.length,
    precision: right.map((n, c) => n / sum(counts.map((row) => row[c]))),
    recall: right.map((n, c) => n / sum(counts[c])),
  };
}

/** Where a share that was seen in `n` cases may really lie, at 95% (Wilson's interval). */
export function confidence(share: number, n: number): [low: number, high: number] {
  const z2 = 1.96 ** 2;
  const middle = (share + z2 / (2 * n)) / (1 + z2 / n);
  const half = (1.96 * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n * n))) / (1 + z2 / n);
  return [middle - half, middle + half];
}
