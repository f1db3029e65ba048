import { largest } from '../extremes';

/** How sharply the cosine of a text and a name tells which texts are of a class: a softmax's temperature. */
const BY_NAME = 0.03;
/** How many guesses a label counts for in the mean of its class. */
const LABEL = 3;
/** The temperature of what is shown, fitted so that guesses are right as often as they say (training/eval/results/sort.md). */
export const TEMPERATURE = 0.15;

/** The dot product of two vectors of one length. */
export const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, i) => sum + x * b[i], 0);

/** A vector of length 1; one of zeros stays. */
export function unit(vector: Float32Array): Float32Array {
  const length = Math.sqrt(dot(vector, vector)) || 1;
  return vector.map((x) => x / length);
}

/** The sum of vectors, each times its weight. */
export function weightedSum(vectors: Float32Array[], weights: number[], dim: number): Float32Array {
  const sum = new Float32Array(dim);
  for (const [i, vector] of vectors.entries()) {
    if (weights[i] !== 0) for (let d = 0; d < dim; d++) sum[d] += weights[i] * vector[d];
  }
  return sum;
}

/** Numbers as shares of 1, the sharper the lower the temperature. */
export function softmax(numbers: number[], temperature: number): number[] {
  const top = largest(numbers);
  const powers = numbers.map((x) => Math.exp((x - top) / temperature));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((x) => x / total);
}

/**
 * How likely each document is of each class, [documents][classes], while there are too few labels to train on: the names' cosines with the documents
 * say which are likely, and the mean of those, with the labelled ones, says it better. Both count. What a document gives to a mean itself says nothing
 * of it and is taken off: of few documents they would otherwise be far too sure. `vectors` and `names` are unit vectors of one space, `labels`
 * the classes' indices. A name that is near to all documents says little of each: its mean cosine is taken off.
 */
export function guess(
  vectors: Float32Array[],
  names: Float32Array[],
  labels: (number | undefined)[],
  temperature = TEMPERATURE,
): number[][] {
  if (vectors.length === 0) return [];
  const dim = vectors[0].length;
  const cosines = vectors.map((vector) => names.map((name) => dot(vector, name)));
  const usual = names.map((_, c) => cosines.reduce((sum, row) => sum + row[c], 0) / cosines.length);
  const byName = cosines.map((row) => row.map((x, c) => x - usual[c]));
  const shares = byName.map((row, i) =>
    labels[i] === undefined ? softmax(row, BY_NAME) : row.map((_, c) => (labels[i] === c ? LABEL : 0)),
  );

  const centre = weightedSum(
    vectors,
    vectors.map(() => 1 / vectors.length),
    dim,
  );
  const around = vectors.map((vector) => unit(vector.map((x, d) => x - centre[d])));
  const sums = names.map((_, c) =>
    weightedSum(
      around,
      shares.map((row) => row[c]),
      dim,
    ),
  );
  const squares = sums.map((sum) => dot(sum, sum));
  return around.map((vector, i) => {
    const byMean = sums.map((sum, c) => cosineWithout(dot(vector, sum), squares[c], shares[i][c]));
    return softmax(
      byMean.map((x, c) => x + byName[i][c]),
      temperature,
    );
  });
}

/** The cosine of a unit vector and a sum from which `share` of it is taken off. `product`: the dot product of both; `square`: that of the sum with itself. */
function cosineWithout(product: number, square: number, share: number): number {
  const length = Math.sqrt(Math.max(0, square - 2 * share * product + share * share));
  return length < 1e-3 ? 0 : (product - share) / length; // nothing but itself
}
