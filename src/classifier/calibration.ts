import type { Pause } from '../turns';
import { minimise } from './lbfgs';
import { softmax } from './logistic-regression';

/** Of the expected calibration error: Guo et al. 2017 have as many. */
const BINS = 15;

/** Logits with the class that is right, one a tested example. */
export interface Outcome {
  logits: Float64Array;
  target: number;
}

/** Probabilities of logits that are divided by a temperature. */
export function probabilities(logits: ArrayLike<number>, temperature = 1): Float64Array {
  const shares = Float64Array.from(logits, (logit) => logit / temperature);
  softmax(shares);
  return shares;
}

/**
 * The temperature with the least log loss (Guo et al. 2017, arXiv:1706.04599, section 4.2). One more outcome, half right with every class, is
 * counted in: without it few examples that are all classified well would be believed without any doubt (as Platt 1999 does for two classes).
 */
export async function fitTemperature(outcomes: readonly Outcome[], pause: Pause): Promise<number> {
  if (outcomes.length === 0) return 1;
  const doubt = 1 / (outcomes.length + 1);
  const parameters = Float64Array.of(0); // the logarithm of the inverse
  await minimise(async ([x], gradient) => {
    const inverse = Math.exp(x);
    let [loss, slope] = [0, 0];
    for (const { logits, target } of outcomes) {
      await pause();
      const shares = logits.map((logit) => inverse * logit);
      const total = softmax(shares);
      for (let c = 0; c < logits.length; c++) {
        const wanted = doubt / logits.length + (c === target ? 1 - doubt : 0);
        loss += wanted * (total - inverse * logits[c]);
        slope += (shares[c] - wanted) * logits[c];
      }
    }
    gradient[0] = (slope * inverse) / outcomes.length;
    return loss / outcomes.length;
  }, parameters);
  return Math.exp(-parameters[0]);
}

/** Mean of -ln p of the right class, in nats. */
export const logLoss = (shares: readonly Float64Array[], targets: readonly number[]): number =>
  shares.reduce((sum, row, i) => sum - Math.log(Math.max(row[targets[i]], Number.MIN_VALUE)), 0) / targets.length;

/**
 * How far the probability of the best class is from how often it is right: the mean difference of both over 15 bins of equal width, weighted by
 * what they hold (Guo et al. 2017, equation 3).
 */
export function calibrationError(shares: readonly Float64Array[], targets: readonly number[]): number {
  const gaps = Array<number>(BINS).fill(0);
  for (const [i, row] of shares.entries()) {
    const best = bestOf(row);
    const bin = Math.min(BINS - 1, Math.ceil(row[best] * BINS) - 1);
    gaps[bin] += row[best] - (best === targets[i] ? 1 : 0);
  }
  return gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / targets.length;
}

/** The index of the largest number; the first of several. */
export const bestOf = (row: Float64Array): number => row.reduce((best, value, c) => (value > row[best] ? c : best), 0);
