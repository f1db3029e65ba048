// The encoders that are compared with ModernBERT: the shapes of published checkpoints.
import listed from './shapes/architectures.json';
import base from './shapes/base.json';
import large from './shapes/large.json';

/** Those of one class are measured in turns, each beside the class's ModernBERT. */
export const CLASSES = ['small', 'base', 'large'] as const;

export interface Architecture {
  name: string;
  /** The published checkpoint that has this shape. */
  model: string;
  class: (typeof CLASSES)[number];
  config: { num_hidden_layers: number } & Record<string, unknown>;
  /** What PyTorch reaches on an RTX 4090 by set, and its largest batch by length of documents (arXiv 2412.13663, table 2). */
  paper?: { tokens_per_s: Record<string, number>; batch: Record<string, number> };
}

const MODERNBERT: Architecture[] = [
  {
    name: 'ModernBERT-base',
    model: 'answerdotai/ModernBERT-base',
    class: 'base',
    config: base.config,
    paper: {
      tokens_per_s: { 'fixed-512': 148100, 'variable-512': 147300, 'fixed-8192': 123700, 'variable-8192': 133800 },
      batch: { 512: 1604, 8192: 98 },
    },
  },
  {
    name: 'ModernBERT-large',
    model: 'answerdotai/ModernBERT-large',
    class: 'large',
    config: large.config,
    paper: {
      tokens_per_s: { 'fixed-512': 52300, 'variable-512': 52900, 'fixed-8192': 46800, 'variable-8192': 49800 },
      batch: { 512: 770, 8192: 48 },
    },
  },
];

/** By class, the class's ModernBERT first. */
export const ARCHITECTURES: Architecture[] = CLASSES.flatMap((name) =>
  [...MODERNBERT, ...(listed as Architecture[])].filter((architecture) => architecture.class === name),
);

/** Those with the given names, default all, and the ModernBERT of their classes. */
export const chosenArchitectures = (names: string[] = ARCHITECTURES.map(({ name }) => name)): Architecture[] =>
  CLASSES.flatMap((group) => {
    const [modernBert, ...others] = ARCHITECTURES.filter((architecture) => architecture.class === group);
    const chosen = others.filter(({ name }) => names.includes(name));
    return chosen.length > 0 || names.includes(modernBert.name) ? [modernBert, ...chosen] : [];
  });

/** The same with its first `layers` layers, if it has as many; every third of ModernBERT's is global, so multiples of 3 keep the mix. */
export function shortened(architecture: Architecture, layers: number): Architecture {
  const { config } = architecture;
  const num_hidden_layers = Math.min(layers, config.num_hidden_layers);
  return { ...architecture, config: { ...config, num_hidden_layers } };
}
