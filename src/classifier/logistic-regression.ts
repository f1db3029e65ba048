import type { Pause } from '../turns';
import { minimise } from './lbfgs';

/** Embeddings with their classes: `features` [rows, dim], `targets` [rows], each below `classes`. */
export interface Examples {
  features: Float32Array;
  dim: number;
  targets: number[];
  classes: number;
}

/** A linear classifier: the logits of x are weights x + bias; `weights` [classes, dim], `bias` [classes]. */
export interface LinearHead {
  weights: Float64Array;
  bias: Float64Array;
}

/** Ends once no part of the gradient is larger: of 809 and 1,111 texts, the probabilities then are within 0.0013 of those of the minimum. */
const TOLERANCE = 1e-5;
/** Rows that are worked on together. */
const BLOCK = 4;

/**
 * Multinomial logistic regression, once for each strength of the penalty; from a strong to a weak one it goes fastest, as each continues from
 * the one before. The loss is mean cross-entropy + strength / 2 · |weights|², on features that are moved to mean 0 and scaled to a mean
 * squared length of 1, so that a strength does for embeddings of any model. The bias has no penalty.
 */
export async function trainHeads(
  examples: Examples,
  strengths: readonly number[],
  pause: Pause,
): Promise<LinearHead[]> {
  const { dim, classes } = examples;
  const { features, mean, scale } = standardise(examples);
  const parameters = new Float64Array(classes * (dim + 1)); // weights, then bias
  const heads: LinearHead[] = [];
  for (const strength of strengths) {
    await minimise(lossOf({ ...examples, features }, strength, pause), parameters, { tolerance: TOLERANCE });
    const weights = parameters.slice(0, classes * dim).map((weight) => weight * scale);
    const bias = parameters.slice(classes * dim);
    for (let c = 0; c < classes; c++) {
      for (let j = 0; j < dim; j++) bias[c] -= weights[c * dim + j] * mean[j];
    }
    heads.push({ weights, bias });
  }
  return heads;
}

function standardise({ features, dim, targets: { length: rows } }: Examples) {
  const mean = new Float64Array(dim);
  for (let i = 0; i < features.length; i += dim) for (let j = 0; j < dim; j++) mean[j] += features[i + j] / rows;
  const moved = new Float32Array(features.length);
  let square = 0;
  for (let i = 0; i < features.length; i += dim) {
    for (let j = 0; j < dim; j++) {
      const value = features[i + j] - mean[j];
      moved[i + j] = value;
      square += value * value;
    }
  }
  const scale = square > 0 ? Math.sqrt(rows / square) : 1;
  for (let i = 0; i < moved.length; i++) moved[i] *= scale;
  return { features: moved, mean, scale };
}

/**
 * The loss as a function of the parameters [weights, bias], with its gradient. Rows go in blocks, as then each weight, and each number of the
 * gradient, is read for several of them at once: that takes half the time.
 */
export function lossOf(
  { features, dim, targets, classes }: Examples,
  strength: number,
  pause: Pause,
): (parameters: Float64Array, gradient: Float64Array) => Promise<number> {
  const rows = targets.length;
  const block = new Float32Array(BLOCK * dim);
  const shares = Array.from({ length: BLOCK }, () => new Float64Array(classes));
  return async (parameters, gradient) => {
    let loss = 0;
    for (let i = 0; i < classes * dim; i++) {
      loss += (strength / 2) * parameters[i] ** 2;
      gradient[i] = strength * parameters[i];
    }
    gradient.fill(0, classes * dim);
    for (let first = 0; first < rows; first += BLOCK) {
      await pause();
      const part = features.subarray(first * dim, (first + BLOCK) * dim);
      block.set(part);
      block.fill(0, part.length);
      blockLogits(shares, parameters, block, dim);
      for (const [k, errors] of shares.entries()) {
        if (first + k >= rows) {
          errors.fill(0);
          continue;
        }
        const target = targets[first + k];
        const logit = errors[target];
        loss += (softmax(errors) - logit) / rows;
        errors[target] -= 1;
        for (let c = 0; c < classes; c++) errors[c] /= rows;
      }
      addBlock(gradient, shares, block, dim);
    }
    return loss;
  };
}

/** Writes the logits of a block's rows. `parameters`: [weights, bias]. */
function blockLogits([a, b, c, d]: Float64Array[], parameters: Float64Array, x: Float32Array, dim: number): void {
  const classes = a.length;
  for (let k = 0, w = 0; k < classes; k++) {
    let [sa, sb, sc, sd] = [0, 0, 0, 0];
    for (let j = 0; j < dim; j++, w++) {
      const weight = parameters[w];
      sa += weight * x[j];
      sb += weight * x[j + dim];
      sc += weight * x[j + 2 * dim];
      sd += weight * x[j + 3 * dim];
    }
    const bias = parameters[classes * dim + k];
    a[k] = sa + bias;
    b[k] = sb + bias;
    c[k] = sc + bias;
    d[k] = sd + bias;
  }
}

/** Adds to the gradient what the errors of a block's rows give. */
function addBlock(gradient: Float64Array, [a, b, c, d]: Float64Array[], x: Float32Array, dim: number): void {
  const classes = a.length;
  for (let k = 0, g = 0; k < classes; k++) {
    const [ea, eb, ec, ed] = [a[k], b[k], c[k], d[k]];
    for (let j = 0; j < dim; j++, g++) {
      gradient[g] += ea * x[j] + eb * x[j + dim] + ec * x[j + 2 * dim] + ed * x[j + 3 * dim];
    }
    gradient[classes * dim + k] += ea + eb + ec + ed;
  }
}

/** Writes the logits of one embedding [dim]. */
export function logitsInto(logits: Float64Array, { weights, bias }: LinearHead, x: Float32Array): void {
  const dim = x.length;
  for (let c = 0; c < bias.length; c++) {
    let sum = bias[c];
    for (let j = 0, w = c * dim; j < dim; j++, w++) sum += weights[w] * x[j];
    logits[c] = sum;
  }
}

/** Logits become probabilities, in place. Returns the logarithm of the sum of their exponentials. */
export function softmax(values: Float64Array): number {
  const most = values.reduce((a, b) => Math.max(a, b));
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i] = Math.exp(values[i] - most);
  for (let i = 0; i < values.length; i++) values[i] /= total;
  return most + Math.log(total);
}
