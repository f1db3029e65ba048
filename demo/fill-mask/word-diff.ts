import { commonEnds } from './common-ends';

/** Pairs of words from which on two texts are not compared: what differs in their middle counts as all different. */
const MOST_PAIRS = 4_000_000;

/** Which words of two texts are not in a longest common subsequence of both. */
export function wordDiff(a: string[], b: string[]): [isNew: boolean[], isNew: boolean[]] {
  const { head, tail } = commonEnds(a, b);
  const isNewA = a.map((_, i) => i >= head && i < a.length - tail);
  const isNewB = b.map((_, j) => j >= head && j < b.length - tail);
  const [n, m] = [a.length - head - tail, b.length - head - tail];
  if (n * m > MOST_PAIRS) return [isNewA, isNewB];
  // lengths[i][j]: of a longest common subsequence from word i of a's middle and word j of b's on
  const lengths = Array.from({ length: n + 1 }, () => new Uint16Array(m + 1));
  for (let i = n - 1; i >= 0; i--) {
    for (let j = m - 1; j >= 0; j--) {
      const isSame = a[head + i] === b[head + j];
      lengths[i][j] = isSame ? lengths[i + 1][j + 1] + 1 : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  for (let i = 0, j = 0; i < n && j < m; ) {
    if (a[head + i] === b[head + j]) {
      isNewA[head + i++] = false;
      isNewB[head + j++] = false;
    } else if (lengths[i + 1][j] >= lengths[i][j + 1]) i++;
    else j++;
  }
  return [isNewA, isNewB];
}
