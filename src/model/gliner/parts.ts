/** The tensors of GLiNER's heads, by their names in the file (the library gliner, modeling/base.py, span_rep.py, scorers.py and layers.py). */
import { paddedWidth } from '../../kernels/layout';
import { roundUp } from '../../kernels/storage';
import type { Linear, LinearOptions, Tensors } from '../tensors';
import type { GlinerConfig } from './config';

/** Two layers with a ReLU between them. */
export interface Mlp {
  first: Linear;
  second: Linear;
}

/** One direction of a layer of an LSTM: what the input adds to the gates, and the recurrent weight [4 H, H] with its bias. */
export interface LstmDirection {
  input: Linear;
  recurrent: Linear;
}

/** Which encoder of the model this is: one that reads both, or one of two. */
export type Reads = 'both' | 'text' | 'labels';

export interface GlinerParts {
  config: GlinerConfig;
  reads: Reads;
  /** From the encoder's width to hidden_size, where they differ. */
  projection: Linear | undefined;
  /** By layer: forward and backward. */
  rnn: [LstmDirection, LstmDirection][];
  /** Scores of spans: a span's vector is made of start · and · end, each one half of the input of `out`. */
  span: { start: Mlp; end: Mlp; out: { first: Linear; second: Linear | undefined } } | undefined;
  /** Scores of words: [a, c] of every word and [b, d] of every label; then of [a, b, c ∘ d] start, end and inside. */
  token: { word: Linear; out: Mlp } | undefined;
  /** What makes of a label's vector what is scored against. */
  label: { span: Mlp | undefined; token: Linear | undefined } | undefined;
}

/** Numbers per row of what words are scored against, as it lies on the GPU. */
export const labelStride = ({ span_mode, hidden_size }: GlinerConfig): number =>
  (span_mode === 'token' ? 2 : 1) * paddedWidth(hidden_size);

export function declareGliner(config: GlinerConfig, reads: Reads, t: Tensors): GlinerParts {
  const { hidden_size: d, span_mode, num_rnn_layers, encoder_size, labels_size } = config;
  const width = paddedWidth(d);
  const linear = (name: string, shape: [number, number], options: LinearOptions = {}) =>
    t.linear(name, shape, { bias: true, quantized: false, ...options });
  const mlp = (name: string, hidden: number, options?: LinearOptions): Mlp => ({
    first: linear(`${name}.0`, [hidden, d]),
    second: linear(`${name}.3`, [d, hidden], options),
  });
  /** Columns or rows in parts of d, each padded. */
  const apart = (i: number) => Math.floor(i / d) * width + (i % d);
  const inner = span_mode === 'marker' ? 2 * d : 4 * d;
  const isText = reads !== 'labels';
  const isLabels = reads !== 'text';
  const isToken = span_mode === 'token';
  const layer = 'span_rep_layer.span_rep_layer';
  const size = reads === 'labels' ? labels_size! : encoder_size;
  const projection = `token_rep_layer.${reads === 'labels' ? 'labels_' : ''}projection`;
  return {
    config,
    reads,
    projection: size === d ? undefined : linear(projection, [d, size]),
    rnn: isText
      ? Array.from({ length: num_rnn_layers }, (_, l) => [direction(`l${l}`), direction(`l${l}_reverse`)])
      : [],
    span:
      isText && !isToken
        ? {
            start: mlp(`${layer}.project_start`, inner, { n: 2 * width }),
            end: mlp(`${layer}.project_end`, inner, { n: 2 * width, rowAt: (row) => row + width }),
            out:
              span_mode === 'marker'
                ? { first: linear(`${layer}.out_project`, [d, 2 * d], halves()), second: undefined }
                : {
                    first: linear(`${layer}.out_project.0`, [4 * d, 2 * d], halves()),
                    second: linear(`${layer}.out_project.3`, [d, 4 * d]),
                  },
          }
        : undefined,
    token:
      isText && isToken
        ? {
            word: linear('scorer.proj_token', [2 * d, d], { n: 2 * width, rowAt: apart }),
            out: {
              first: linear('scorer.out_mlp.0', [4 * d, 3 * d], { k: 3 * width, columnAt: apart }),
              second: linear('scorer.out_mlp.3', [3, 4 * d], { n: 8, precise: true }),
            },
          }
        : undefined,
    label: isLabels
      ? isToken
        ? { token: linear('scorer.proj_label', [2 * d, d], { n: 2 * width, rowAt: apart }), span: undefined }
        : { span: mlp('prompt_rep_layer', 4 * d), token: undefined }
      : undefined,
  };

  function halves(): LinearOptions {
    return { k: 2 * width, columnAt: apart };
  }

  function direction(name: string): LstmDirection {
    const hidden = d / 2;
    return {
      input: gates(`ih_${name}`, d, {}),
      recurrent: gates(`hh_${name}`, hidden, { precise: true, n: roundUp(4 * hidden, 8), k: paddedWidth(hidden) }),
    };
  }

  /** torch's names: rnn.lstm.weight_ih_l0 and rnn.lstm.bias_ih_l0. */
  function gates(name: string, columns: number, options: LinearOptions): Linear {
    return linear('rnn.lstm', [2 * d, columns], { ...options, spelling: (_, part) => `rnn.lstm.${part}_${name}` });
  }
}
