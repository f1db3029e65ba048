/** Metrics of predicted labels and scores, as scikit-learn and scipy count them: those of GLUE and of the STS tasks. */

/** The share of equal labels. */
export const accuracy = (gold: readonly string[], predicted: readonly string[]): number =>
  gold.filter((label, i) => label === predicted[i]).length / gold.length;

/** F1 of one label: the harmonic mean of precision and recall; 0 if it is neither there nor predicted (sklearn's f1_score, average='binary'). */
export function f1(gold: readonly string[], predicted: readonly string[], positive: string): number {
  const hits = gold.filter((label, i) => label === positive && predicted[i] === positive).length;
  const all = countOf(gold, positive) + countOf(predicted, positive);
  return all === 0 ? 0 : (2 * hits) / all;
}

/** The mean F1 of all labels that are there or predicted (average='macro'). */
export function macroF1(gold: readonly string[], predicted: readonly string[]): number {
  const labels = labelsOf(gold, predicted);
  return labels.reduce((sum, label) => sum + f1(gold, predicted, label), 0) / labels.length;
}

/**
 * Matthews' correlation coefficient for any number of labels (Gorodkin 2004; sklearn's matthews_corrcoef): 0 if all labels or all predictions
 * are the same.
 */
export function matthews(gold: readonly string[], predicted: readonly string[]): number {
  const n = gold.length;
  const hits = gold.filter((label, i) => label === predicted[i]).length;
  const counts = labelsOf(gold, predicted).map((label) => [countOf(gold, label), countOf(predicted, label)]);
  const sum = (term: (g: number, p: number) => number) => counts.reduce((total, [g, p]) => total + term(g, p), 0);
  const spread = Math.sqrt((n * n - sum((g) => g * g)) * (n * n - sum((_, p) => p * p)));
  return spread === 0 ? 0 : (hits * n - sum((g, p) => g * p)) / spread;
}

const countOf = (labels: readonly string[], label: string): number => labels.filter((other) => other === label).length;
const labelsOf = (...lists: (readonly string[])[]): string[] => [...new Set(lists.flat())];

/** Pearson's correlation coefficient; NaN if one of the lists is constant. */
export function pearson(a: readonly number[], b: readonly number[]): number {
  if (isConstant(a) || isConstant(b)) return NaN; // rounding errors of a mean would give any number
  const [meanA, meanB] = [mean(a), mean(b)];
  const sum = (term: (x: number, y: number) => number) =>
    a.reduce((total, x, i) => total + term(x - meanA, b[i] - meanB), 0);
  return sum((x, y) => x * y) / Math.sqrt(sum((x) => x * x) * sum((_, y) => y * y));
}

/** Spearman's: Pearson's of the ranks, where equal values share the mean of theirs. NaN if one of the lists is constant. */
export const spearman = (a: readonly number[], b: readonly number[]): number => pearson(ranksOf(a), ranksOf(b));

function ranksOf(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((i, j) => values[i] - values[j]);
  const ranks: number[] = [];
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && values[order[to]] === values[order[from]]) to++;
    for (const i of order.slice(from, to)) ranks[i] = (from + to + 1) / 2;
    from = to;
  }
  return ranks;
}

const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
const isConstant = (values: readonly number[]): boolean => values.every((x) => x === values[0]);
