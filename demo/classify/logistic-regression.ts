import { largest } from '../extremes';
import { minimise } from './lbfgs';

/** Embeddings with their classes: `features` [rows, dim], `targets` [rows], each below `classes`. */
export interface Examples {
  features: Float32Array;
  dim: number;
  targets: number[];
  classes: number;
}

/** A linear classifier: the probabilities of x are softmax(weights x + bias); `weights` [classes, dim], `bias` [classes]. */
export interface LinearHead {
  weights: Float64Array;
  bias: Float64Array;
}

/**
 * Strength of the penalty on weights: the loss is mean cross-entropy + L2 / 2 · |weights|², on features that are moved to mean 0
 * and scaled to a mean squared length of 1, so that one strength does for embeddings of any model.
 */
export const L2 = 0.01;

/** Multinomial logistic regression; the bias has no penalty. */
export function trainHead(examples: Examples, l2 = L2): LinearHead {
  const { dim, classes } = examples;
  const { features, mean, scale } = standardise(examples);
  const parameters = new Float64Array(classes * (dim + 1)); // weights, then bias
  minimise(lossOf({ ...examples, features }, l2), parameters);
  const weights = parameters.slice(0, classes * dim).map((weight) => weight * scale);
  const bias = parameters.slice(classes * dim);
  for (let c = 0; c < classes; c++) {
    for (let j = 0; j < dim; j++) bias[c] -= weights[c * dim + j] * mean[j];
  }
  return { weights, bias };
}

function standardise({ features, dim, targets: { length: rows } }: Examples) {
  const mean = new Float64Array(dim);
  for (let i = 0; i < features.length; i++) mean[i % dim] += features[i] / rows;
  const moved = Float64Array.from(features, (value, i) => value - mean[i % dim]);
  const square = moved.reduce((sum, value) => sum + value * value, 0) / rows;
  const scale = square > 0 ? 1 / Math.sqrt(square) : 1;
  return { features: moved.map((value) => value * scale), mean, scale };
}

/** The loss as a function of the parameters [weights, bias], with its gradient. */
export function lossOf(
  { features, dim, targets, classes }: Omit<Examples, 'features'> & { features: Float64Array },
  l2: number,
): (parameters: Float64Array, gradient: Float64Array) => number {
  const rows = targets.length;
  return (parameters, gradient) => {
    const weights = parameters.subarray(0, classes * dim);
    const bias = parameters.subarray(classes * dim);
    let loss = 0;
    for (let i = 0; i < weights.length; i++) {
      loss += (l2 / 2) * weights[i] ** 2;
      gradient[i] = l2 * weights[i];
    }
    gradient.fill(0, weights.length);
    for (let r = 0; r < rows; r++) {
      const x = features.subarray(r * dim, (r + 1) * dim);
      const shares = softmax(scores({ weights, bias }, x));
      loss -= Math.log(shares[targets[r]]) / rows;
      for (let c = 0; c < classes; c++) {
        const error = (shares[c] - (c === targets[r] ? 1 : 0)) / rows;
        for (let j = 0; j < dim; j++) gradient[c * dim + j] += error * x[j];
        gradient[weights.length + c] += error;
      }
    }
    return loss;
  };
}

/** One score a class, softmax's input. */
function scores({ weights, bias }: LinearHead, x: ArrayLike<number>): number[] {
  return Array.from(bias, (start, c) => {
    let sum = start;
    for (let j = 0; j < x.length; j++) sum += weights[c * x.length + j] * x[j];
    return sum;
  });
}

function softmax(values: number[]): number[] {
  const most = largest(values);
  const powers = values.map((value) => Math.exp(value - most));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

/** The probability of every class for one embedding [dim]. */
export const probabilities = (head: LinearHead, x: ArrayLike<number>): number[] => softmax(scores(head, x));
