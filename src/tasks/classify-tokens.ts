import type { Aggregation, ClassifyTokensOptions, Entity, TokenLabel, WordLabel, Words } from '../api/calls';
import { wrongChoice } from '../api/errors';
import { CALL_OPTIONS, type OptionNames } from '../api/options';
import { tokenLogits } from '../model/heads/logits';
import { type Call, oneOrMany } from './call';
import { encode, largest, type Parts, softmax, withoutSpace } from './common';
import { bestOf, continues, type Tag, tagsOf, viterbi } from './label-scheme';

const AGGREGATIONS: Aggregation[] = ['none', 'simple', 'first', 'max', 'average'];
const DECODERS = ['argmax', 'viterbi'];

const OPTIONS: OptionNames<ClassifyTokensOptions> = {
  ...CALL_OPTIONS,
  aggregation: true,
  ignoreLabels: true,
  decode: true,
};

export const classifyTokens: Call = { task: 'tokcls', options: OPTIONS, run: oneOrMany(classifyTexts) };

type Found = TokenLabel | WordLabel | Entity;

async function classifyTexts(
  parts: Parts,
  texts: (string | Words)[],
  options: ClassifyTokensOptions = {},
): Promise<Found[][]> {
  const { info, submit } = parts;
  const { signal, onProgress, aggregation = 'none', decode = 'argmax' } = options;
  const { ignoreLabels = aggregation === 'none' ? [] : ['O'] } = options;
  if (!AGGREGATIONS.includes(aggregation)) throw wrongChoice('aggregation', AGGREGATIONS, aggregation);
  if (!DECODERS.includes(decode)) throw wrongChoice('decode', DECODERS, decode);
  const tags = tagsOf(info.labels);
  const pick = decode === 'viterbi' ? viterbi : (scores: number[][]) => scores.map(bestOf);
  const results: Found[][] = [];
  const items = await encode(parts, texts, options, ({ ids, tokens, offsets, wordIds }, i) => {
    const input = texts[i];
    const words = typeof input === 'string' ? undefined : [...input.words];
    const isPerWord = words && aggregation === 'none';
    // Tokens that the post-processor added ([CLS], [SEP]) are of no word. A word's label is that of its first token.
    const rows = Uint32Array.from(ids.keys()).filter(
      (row) => wordIds[row] >= 0 && !(isPerWord && wordIds[row] === wordIds[row - 1]),
    );
    results[i] = [];
    const labelled = (scores: number[][]): Found[] =>
      pick(scores, tags).map((best, r) => {
        const row = rows[r];
        const [start, end] = offsets[row];
        const index = isPerWord ? wordIds[row] : row;
        const what = isPerWord ? { word: words[index], index } : { token: tokens[row], index, start, end };
        return { ...what, label: info.labels[best], score: scores[r][best] };
      });
    const grouped = (scores: number[][]): Found[] => {
      const starts = words && startsOf(words);
      const placed = Array.from(rows, (row, r): Scored => {
        const at = starts?.[wordIds[row]] ?? 0;
        return { start: at + offsets[row][0], end: at + offsets[row][1], scores: scores[r] };
      });
      const text = words ? words.join(' ') : (input as string);
      return entitiesOf(text, placed, tags, aggregation as Exclude<Aggregation, 'none'>, pick);
    };
    return {
      wanted: [
        {
          head: tokenLogits,
          rows,
          deliver(logits, width) {
            const scores = Array.from(rows, (_, r) => softmax(logits.subarray(r * width, (r + 1) * width)));
            const found = aggregation === 'none' ? labelled(scores) : grouped(scores);
            results[i] = found.filter(({ label }) => !ignoreLabels.includes(label));
          },
        },
      ],
    };
  });
  await submit(items, { signal, onProgress });
  return results;
}

/** Where each word is in the words joined by spaces. */
function startsOf(words: string[]): number[] {
  let at = 0;
  return words.map(({ length }) => {
    at += length + 1;
    return at - length - 1;
  });
}

/** A token or a word: its offsets and a probability per label. */
export interface Scored {
  start: number;
  end: number;
  scores: number[];
}

/**
 * Groups tokens as transformers' token-classification pipeline does: into words, unless `simple`, then neighbours of one class, with a new
 * entity at every B-. In addition, the other prefixes of BIOES and its kin count. `pick`: the label of each unit.
 */
export function entitiesOf(
  text: string,
  tokens: Scored[],
  tags: Tag[],
  aggregation: Exclude<Aggregation, 'none'>,
  pick: (scores: number[][], tags: Tag[]) => number[] = (scores) => scores.map(bestOf),
): Entity[] {
  const placed = tokens.filter(({ start, end }) => end > start);
  const units = aggregation === 'simple' ? placed : wordsOf(text, placed).map((word) => joined(word, aggregation));
  const chosen = pick(
    units.map(({ scores }) => scores),
    tags,
  );
  const groups: { tag: Tag; start: number; end: number; scores: number[] }[] = [];
  for (const [u, { start, end, scores }] of units.entries()) {
    const tag = tags[chosen[u]];
    const last = groups.at(-1);
    if (last && continues(last.tag, tag)) {
      last.scores.push(scores[chosen[u]]);
      Object.assign(last, { tag, end });
    } else groups.push({ tag, start, end, scores: [scores[chosen[u]]] });
  }
  return groups.map(({ tag: { label }, start: first, end: last, scores }): Entity => {
    const [start, end] = withoutSpace(text, first, last);
    return { label, score: mean(scores), text: text.slice(start, end), start, end };
  });
}

/** Runs of tokens without whitespace between them: what the pipeline regards as words for tokenizers without word pieces. */
function wordsOf(text: string, tokens: Scored[]): Scored[][] {
  const words: Scored[][] = [];
  for (const token of tokens) {
    const { start } = token;
    const last = words.at(-1);
    // A token that starts before the last one's end is another byte of the same character.
    const inside = last && (start < last[last.length - 1].end || !/\s/.test(text.slice(start - 1, start + 1)));
    if (inside) last.push(token);
    else words.push([token]);
  }
  return words;
}

function joined(word: Scored[], aggregation: 'first' | 'max' | 'average'): Scored {
  const all = word.map(({ scores }) => scores);
  const scores = {
    first: () => all[0],
    max: () => all.reduce((best, own) => (largest(own) > largest(best) ? own : best)),
    average: () => all[0].map((_, l) => mean(all.map((own) => own[l]))),
  }[aggregation]();
  return { start: word[0].start, end: word[word.length - 1].end, scores };
}

const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
