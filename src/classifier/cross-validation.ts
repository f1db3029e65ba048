import { seededRandom } from '../seeded-random';
import type { Pause } from '../turns';
import { type Examples, logitsInto, trainHeads } from './logistic-regression';
import { classMeans, nearest } from './typicality';

/** Examples by their classes and texts: those of one text are of one group, which stays together. */
export interface Groups {
  targets: number[];
  classes: number;
  /** [rows] Of each example the first one with its text: itself, as a rule. */
  firsts: number[];
}

/** How many folds the examples allow, of those asked for: as many as the largest class has texts, or none at all. */
export function foldCount(groups: Groups, asked: number): number {
  const most = membersOf(groups).reduce((most, { length }) => Math.max(most, length), 0);
  return Math.min(asked, most) < 2 ? 0 : Math.min(asked, most);
}

/**
 * The fold of every example: each class is spread evenly over the folds, and so are the folds' sizes. Equal texts are in one fold. Which
 * example falls where is mixed, but the same every time.
 */
export function stratifiedFolds(groups: Groups, folds: number): number[] {
  const random = seededRandom(1);
  const fold = Array<number>(groups.targets.length);
  let next = 0;
  for (const members of membersOf(groups)) {
    for (let i = members.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [members[i], members[j]] = [members[j], members[i]];
    }
    for (const i of members) fold[i] = next++ % folds;
  }
  return groups.firsts.map((first) => fold[first]);
}

/** Per class the examples that are the first with their text. */
const membersOf = ({ targets, classes, firsts }: Groups): number[][] => {
  const members = Array.from({ length: classes }, (): number[] => []);
  for (const [i, target] of targets.entries()) if (firsts[i] === i) members[target].push(i);
  return members;
};

/** What is said of examples by heads and class means that were made without their fold. */
export interface OutOfFold {
  /** The examples that were tested, ascending: not those whose class had no other example to learn from. */
  tested: number[];
  /** [strengths] of [rows][classes]; empty rows for what was not tested. */
  logits: Float64Array[][];
  /** [rows] Cosine with the nearest class mean; NaN for what was not tested. */
  cosines: Float64Array;
}

/** `fold`: that of every example, below `folds`. `onFold` hears how many are done. */
export async function crossValidate(
  examples: Examples,
  fold: readonly number[],
  folds: number,
  strengths: readonly number[],
  pause: Pause,
  onFold?: (done: number) => void,
): Promise<OutOfFold> {
  const { dim, classes, targets } = examples;
  const logits = strengths.map(() => targets.map(() => new Float64Array()));
  const cosines = new Float64Array(targets.length).fill(Number.NaN);
  const tested: number[] = [];
  for (let held = 0; held < folds; held++) {
    const part = withoutFold(examples, fold, held);
    const heads = await trainHeads(part, strengths, pause);
    const means = classMeans(part);
    const known = new Set(part.targets);
    for (const [i, target] of targets.entries()) {
      if (fold[i] !== held || !known.has(target)) continue;
      const x = examples.features.subarray(i * dim, (i + 1) * dim);
      for (const [s, head] of heads.entries()) {
        logits[s][i] = new Float64Array(classes);
        logitsInto(logits[s][i], head, x);
      }
      cosines[i] = nearest(means, x);
      tested.push(i);
    }
    onFold?.(held + 1);
  }
  return { tested: tested.sort((a, b) => a - b), logits, cosines };
}

function withoutFold({ features, dim, targets, classes }: Examples, fold: readonly number[], held: number): Examples {
  const kept = targets.flatMap((_, i) => (fold[i] === held ? [] : [i]));
  const part = new Float32Array(kept.length * dim);
  for (const [row, i] of kept.entries()) part.set(features.subarray(i * dim, (i + 1) * dim), row * dim);
  return { features: part, dim, targets: kept.map((i) => targets[i]), classes };
}
