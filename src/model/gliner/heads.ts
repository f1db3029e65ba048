/** GLiNER's heads as steps. Everything is f32; a chunk is one text: its rows are the tokens that count, its lists say which words they are. */
import type { Pooling } from '../../api/embeddings';
import type { Epilogue } from '../../kernels/gemm-spec';
import { lstm } from '../../kernels/lstm';
import { dotRows, labelFeatures, spanFeatures } from '../../kernels/pair_features';
import { pool } from '../../kernels/pool';
import type { Operand, Part, Slot, Step } from '../../kernels/step';
import { linear } from '../blocks';
import type { ChunkSizes } from '../family';
import type { Head } from '../heads/head';
import { allTokens, answerOf, chosenTokens, dense, INDICES, pooled, type Rows } from '../heads/rows';
import type { LoadedModel } from '../model';
import type { Linear } from '../tensors';
import type { GlinerConfig } from './config';
import { type GlinerParts, labelStride } from './parts';

type Steps = Step<ChunkSizes>[];
type Count = (s: ChunkSizes) => number;

/** Numbers of a label's scores for a word: one for each width of a span that begins there; or start, end and inside. */
export const scoresPerLabel = ({ span_mode, max_width }: GlinerConfig): number =>
  span_mode === 'token' ? 3 : max_width;

/** Kernels are compiled for so many labels, a power of two. */
export const paddedLabels = (count: number): number => Math.max(4, 2 ** Math.ceil(Math.log2(count)));

/** The lists of a text: the spans of its words in the chunk's rows; then those of its labels, or the labels' vectors. */
const list = (i: number): Part<ChunkSizes> => ({ of: INDICES, range: (s) => s.lists[i] });
const words: Count = (s) => s.lists[0].size / 12;

const POOLINGS: Record<GlinerConfig['subtoken_pooling'], Pooling> = {
  first: 'cls',
  last: 'lasttoken',
  mean: 'mean',
  max: 'max',
};

/** A buffer of rows; `most`: how many there can be whatever the chunk has, else one for each of its rows. */
const slotOf = (label: string, columns: number, most = 64): Slot & { per: 'row' } => ({
  label: `gliner ${label}`,
  per: 'row',
  bytes: columns * 4 * Math.ceil(most / 64),
});

/** 0, 1, 2 and so on, each where a binding may begin: which label or width the steps of a loop are at. */
function numberSlot(count: number) {
  const slot: Slot = {
    ...slotOf('numbers', 64, count),
    contents: (units) => Float32Array.from({ length: units * 64 * Math.ceil(count / 64) }, (_, i) => i / 64),
  };
  return (i: number): Part<ChunkSizes> => ({ of: slot, range: () => ({ offset: i * 256, size: 4 }) });
}

/** out = rows · weightᵀ + bias, through a ReLU if asked. */
function layer(label: string, w: Linear, a: Operand<ChunkSizes>, out: Slot, count: Count, relu = false): Steps {
  const epilogue: Epilogue = relu ? { kind: 'activation', activation: 'relu' } : { kind: 'store' };
  return [linear(w, { label: `gliner ${label}`, epilogue, a, out, types: { a: 'f32', out: 'f32' } }, count)];
}

const partsOf = ({ gliner }: LoadedModel): GlinerParts => {
  if (gliner) return gliner;
  throw new TypeError('This is no GLiNER model.');
};

const projected = (rows: Rows, { projection, config }: GlinerParts): Rows =>
  projection ? dense(rows, 'gliner projection', projection, config.hidden_size) : rows;

/** The words [words, hidden_size]: of their tokens, then through the LSTM. */
function wordRows(tokens: Rows, { config, rnn }: GlinerParts): { steps: Steps; slot: Slot } {
  const { stride } = tokens;
  let slot = slotOf('words', stride);
  const poolings = { hidden_states: tokens.slot, spans: list(0), pooled: slot };
  const steps: Steps[] = [[pool({ pooling: POOLINGS[config.subtoken_pooling], stride }, poolings, words)]];
  const hidden = config.hidden_size / 2;
  for (const [l, directions] of rnn.entries()) {
    const out = slotOf(`lstm ${l % 2}`, stride);
    for (const [d, { input, recurrent }] of directions.entries()) {
      const gates = slotOf('gates', input.n);
      const spec = {
        hidden,
        columns: recurrent.k,
        gates: input.n,
        outStride: stride,
        outColumn: d * hidden,
        reverse: d > 0,
      };
      const { weight, bias } = recurrent;
      steps.push(layer('gates', input, slot, gates, words));
      steps.push([lstm(spec, { gates, weight, bias, spans: list(0), out })]);
    }
    slot = out;
  }
  return { steps: steps.flat(), slot };
}

/** What words are scored against, of labels' vectors. */
function labelRows({ config, label }: GlinerParts, from: Operand<ChunkSizes>, most: number, count: Count) {
  const slot = slotOf('labels', labelStride(config), most);
  const { span, token } = label!;
  if (token) return { slot, steps: layer('label', token, from, slot, count) };
  const { first, second } = span!;
  const inner = slotOf('label inner', first.n, most);
  return {
    slot,
    steps: [...layer('label 0', first, from, inner, count, true), ...layer('label 3', second, inner, slot, count)],
  };
}

/**
 * By row, of which the first are a text's words: the scores of every word. With spans [max_width, labels], of each width for those that begin
 * there; else [labels, 3]: start, end, inside. `labels`: padded (paddedLabels). The lists of an item are the words' spans in its rows; then
 * those of the labels' tokens, or for models that read labels with an encoder of their own the labels' vectors (glinerLabels).
 */
export const glinerScores = (labels: number): Head => ({
  key: `gliner ${labels}`,
  by: 'row',
  apart: true,
  build(model) {
    const parts = partsOf(model);
    const { config, reads } = parts;
    const tokens = projected(chosenTokens(model.encoder), parts);
    const own = wordRows(tokens, parts);
    let labelSteps: Steps = [];
    const stride = labelStride(config);
    let against: Operand<ChunkSizes> = list(1);
    if (reads === 'both') {
      const vectors = slotOf('label vectors', tokens.stride, labels);
      const count = () => labels;
      const rows = labelRows(parts, vectors, labels, count);
      const buffers = { hidden_states: tokens.slot, spans: list(1), pooled: vectors };
      labelSteps = [pool({ pooling: 'cls', stride: tokens.stride }, buffers, count), ...rows.steps];
      against = rows.slot;
    }
    const scores = slotOf('scores', scoresPerLabel(config) * labels);
    const score = config.span_mode === 'token' ? tokenScores : spanScores;
    const scoring = score(parts, { words: own.slot, labels: against, columns: stride, count: labels, scores });
    const steps = [tokens.steps, labelSteps, own.steps, scoring].flat();
    const width = scores.bytes / 4;
    return { steps, answer: scores, stride: width, width };
  },
});

/** `count` labels' vectors of `columns` numbers, which words are scored against. */
interface Scored {
  words: Slot;
  labels: Operand<ChunkSizes>;
  columns: number;
  count: number;
  scores: Slot;
}

/** Width by width: what is made of the first and the last word of every span, against all labels. */
function spanScores({ span, config }: GlinerParts, { words: from, labels, columns, count, scores }: Scored): Steps {
  const { start, end, out } = span!;
  const inner = slotOf('inner', start.first.n);
  const half = slotOf('half', start.second.n);
  const [starts, ends] = [slotOf('starts', out.first.n), slotOf('ends', out.first.n)];
  const features = slotOf('features', out.first.n);
  const vectors = out.second ? slotOf('vectors', columns) : features;
  const number = numberSlot(config.max_width);
  const spec = { columns, count, stride: scores.bytes / 4 };
  return [
    ...layer('start 0', start.first, from, inner, words, true),
    ...layer('start 3', start.second, inner, half, words, true),
    ...layer('out 0', out.first, half, starts, words),
    ...layer('end 0', end.first, from, inner, words, true),
    ...layer('end 3', end.second, inner, half, words, true),
    ...layer('out 0', { ...out.first, bias: undefined }, half, ends, words), // a span has the bias once
    ...Array.from({ length: config.max_width }, (_, i) => [
      spanFeatures(
        { columns: out.first.n, relu: out.second !== undefined },
        { starts, ends, number: number(i), features },
        words,
      ),
      ...(out.second ? layer('out 3', out.second, features, vectors, words) : []),
      dotRows(
        spec,
        { rows: vectors, others: labels, bias: undefined, number: number(i), spans: list(0), scores },
        (s: ChunkSizes) => s.rows,
      ),
    ]).flat(),
  ];
}

/** Label by label: start, end and inside of every word. */
function tokenScores({ token }: GlinerParts, { words: from, labels, columns, count, scores }: Scored): Steps {
  const { word, out } = token!;
  const own = slotOf('word', word.n);
  const features = slotOf('features', out.first.k);
  const inner = slotOf('inner', out.first.n);
  const number = numberSlot(count);
  const spec = { columns: out.first.n, count: 3, stride: scores.bytes / 4 };
  const { weight: others, bias } = out.second;
  return [
    ...layer('word', word, from, own, words),
    ...Array.from({ length: count }, (_, i) => [
      labelFeatures({ width: columns / 2 }, { words: own, labels, number: number(i), features }, words),
      ...layer('out 0', out.first, features, inner, words, true),
      dotRows(
        spec,
        { rows: inner, others, bias, number: number(i), spans: list(0), scores },
        (s: ChunkSizes) => s.rows,
      ),
    ]).flat(),
  ];
}

/** By sequence, of the labels' own encoder: what words are scored against (labelStride numbers). */
export const glinerLabels: Head = {
  key: 'gliner labels',
  by: 'sequence',
  build(model) {
    const parts = partsOf(model);
    const rows = projected(pooled(allTokens(model.encoder), ['mean']), parts);
    const { steps, slot } = labelRows(parts, rows.slot, 64, (s) => s.rows);
    const stride = labelStride(parts.config);
    return answerOf({ slot: slot as Rows['slot'], stride, columns: stride, steps: [...rows.steps, ...steps] });
  },
};
