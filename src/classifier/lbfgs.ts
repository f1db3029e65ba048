/** The value of a function at `x`; writes its gradient into `gradient`. */
export type Differentiable = (x: Float64Array, gradient: Float64Array) => number | Promise<number>;

export interface MinimiseOptions {
  /** Ends once no part of the gradient is larger. Default 1e-6. */
  tolerance?: number;
  /** Default 500. */
  maxIterations?: number;
}

/** Steps that the curvature is estimated from. */
const HISTORY = 10;

/**
 * Minimises a smooth function from `x`, in place: limited-memory BFGS (Nocedal and Wright, Numerical Optimization, algorithm 7.5)
 * with a backtracking line search. Nothing is random: the same input gives the same result.
 */
export async function minimise(
  f: Differentiable,
  x: Float64Array,
  { tolerance = 1e-6, maxIterations = 500 }: MinimiseOptions = {},
): Promise<{ iterations: number }> {
  let gradient = new Float64Array(x.length);
  let value = await f(x, gradient);
  const history: { step: Float64Array; change: Float64Array; curvature: number }[] = [];
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    if (gradient.every((part) => Math.abs(part) <= tolerance)) return { iterations: iteration };
    const direction = twoLoops(gradient, history);
    const slope = dot(direction, gradient);
    const next = new Float64Array(x.length);
    const nextGradient = new Float64Array(x.length);
    let nextValue = value;
    let size = history.length === 0 ? 1 / Math.max(1, Math.sqrt(dot(gradient, gradient))) : 1;
    do {
      for (let i = 0; i < x.length; i++) next[i] = x[i] + size * direction[i];
      nextValue = await f(next, nextGradient);
      size /= 2;
    } while (nextValue > value + 2e-4 * size * slope && size > 1e-12);
    if (nextValue >= value) return { iterations: iteration }; // as low as f64 can tell
    const step = next.map((to, i) => to - x[i]);
    const change = nextGradient.map((to, i) => to - gradient[i]);
    const curvature = dot(step, change);
    if (curvature > 0) history.push({ step, change, curvature });
    if (history.length > HISTORY) history.shift();
    x.set(next);
    gradient = nextGradient;
    value = nextValue;
  }
  return { iterations: maxIterations };
}

/** Minus the estimated inverse Hessian times the gradient. */
function twoLoops(
  gradient: Float64Array,
  history: { step: Float64Array; change: Float64Array; curvature: number }[],
): Float64Array {
  const direction = gradient.map((part) => -part);
  const factors: number[] = [];
  for (const { step, change, curvature } of history.toReversed()) {
    const factor = dot(step, direction) / curvature;
    factors.unshift(factor);
    addTo(direction, -factor, change);
  }
  const last = history.at(-1);
  if (last) {
    const scale = last.curvature / dot(last.change, last.change);
    for (let i = 0; i < direction.length; i++) direction[i] *= scale;
  }
  for (const [h, { step, change, curvature }] of history.entries()) {
    addTo(direction, factors[h] - dot(change, direction) / curvature, step);
  }
  return direction;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function addTo(sum: Float64Array, factor: number, vector: Float64Array) {
  for (let i = 0; i < sum.length; i++) sum[i] += factor * vector[i];
}
