// How long a pass will take, by one that was measured.

/** What of a model's shape decides how its work grows with a text. */
export interface Shape {
  layers: number;
  hidden: number;
  intermediate: number;
  /** Every so many layers one attends to all tokens; the others only to so many. */
  every: number;
  near: number;
}

/** By config.json; where it says nothing of attention, all layers attend to all tokens. */
export function shapeOf(config: Record<string, unknown>): Shape {
  const numberOf = (key: string, otherwise: number) => {
    const value = config[key];
    return typeof value === 'number' && value > 0 ? value : otherwise;
  };
  const hidden = numberOf('hidden_size', 768);
  return {
    layers: numberOf('num_hidden_layers', 12),
    hidden,
    intermediate: numberOf('intermediate_size', 4 * hidden),
    every: numberOf('global_attn_every_n_layers', 1),
    near: numberOf('local_attention', Number.POSITIVE_INFINITY),
  };
}

/** Multiplications of a pass of so many tokens: matrices grow with them, attention to all tokens with their square. */
export function workOf({ layers, hidden, intermediate, every, near }: Shape, tokens: number): number {
  const matrices = layers * (4 * hidden ** 2 + 3 * hidden * intermediate);
  const wide = Math.ceil(layers / every);
  const attended = wide * tokens + (layers - wide) * Math.min(near, tokens);
  return tokens * (matrices + 2 * hidden * attended);
}

/** A pass that was measured. */
export interface Measured {
  tokens: number;
  ms: number;
}

/** Milliseconds of passes of so many tokens each. */
export function timeOf(shape: Shape, measured: Measured, passes: number[]): number {
  const perWork = measured.ms / workOf(shape, measured.tokens);
  return passes.reduce((sum, tokens) => sum + perWork * workOf(shape, tokens), 0);
}
