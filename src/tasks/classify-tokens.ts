import type { Aggregation, ClassifyTokensOptions, Entity, TokenLabel } from '../api/calls';
import { wrongChoice } from '../api/errors';
import { CALL_OPTIONS, type OptionNames } from '../api/options';
import { tokenLogits } from '../model/heads/logits';
import { type Call, oneOrMany } from './call';
import { encode, largest, type Parts, softmax } from './common';

const AGGREGATIONS: Aggregation[] = ['none', 'simple', 'first', 'max', 'average'];

const OPTIONS: OptionNames<ClassifyTokensOptions> = { ...CALL_OPTIONS, aggregation: true, ignoreLabels: true };

export const classifyTokens: Call = { task: 'tokcls', options: OPTIONS, run: oneOrMany(classifyTexts) };

async function classifyTexts(
  parts: Parts,
  texts: string[],
  options: ClassifyTokensOptions = {},
): Promise<(TokenLabel | Entity)[][]> {
  const { info, submit } = parts;
  const { signal, onProgress, aggregation = 'none' } = options;
  const { ignoreLabels = aggregation === 'none' ? [] : ['O'] } = options;
  if (!AGGREGATIONS.includes(aggregation)) {
    throw wrongChoice('aggregation', AGGREGATIONS, aggregation);
  }
  const results: (TokenLabel | Entity)[][] = [];
  const items = await encode(parts, texts, options, ({ ids, tokens, offsets }, i) => {
    // Tokens that the post-processor added ([CLS], [SEP]) have no offsets.
    const rows = Uint32Array.from(ids.keys()).filter((row) => offsets[row][1] > 0);
    results[i] = [];
    return {
      wanted: [
        {
          head: tokenLogits,
          rows,
          deliver(logits, width) {
            const scores = Array.from(rows, (_, r) => softmax(logits.subarray(r * width, (r + 1) * width)));
            const found: (TokenLabel | Entity)[] =
              aggregation === 'none'
                ? Array.from(rows, (row, r): TokenLabel => {
                    const [start, end] = offsets[row];
                    const best = bestOf(scores[r]);
                    return {
                      token: tokens[row],
                      index: row,
                      start,
                      end,
                      label: info.labels[best],
                      score: scores[r][best],
                    };
                  })
                : entitiesOf(
                    texts[i],
                    Array.from(rows, (row, r) => ({ start: offsets[row][0], end: offsets[row][1], scores: scores[r] })),
                    info.labels,
                    aggregation,
                  );
            results[i] = found.filter(({ label }) => !ignoreLabels.includes(label));
          },
        },
      ],
    };
  });
  await submit(items, { signal, onProgress });
  return results;
}

/** A token or a word: its offsets and a probability per label. */
export interface Scored {
  start: number;
  end: number;
  scores: number[];
}

const bestOf = (scores: number[]): number => scores.indexOf(largest(scores));

/**
 * Groups tokens as transformers' token-classification pipeline does: into words, unless `simple`, then neighbours of one class, with a new
 * entity at every B-. In addition, the other prefixes of BILOU and BIOES count (U- and S- stand alone, L- and E- end an entity).
 */
export function entitiesOf(
  text: string,
  tokens: Scored[],
  labels: string[],
  aggregation: Exclude<Aggregation, 'none'>,
): Entity[] {
  const placed = tokens.filter(({ start, end }) => end > start);
  const units = aggregation === 'simple' ? placed : wordsOf(text, placed).map((word) => joined(word, aggregation));
  const groups: { label: string; ended: boolean; units: Scored[] }[] = [];
  for (const unit of units) {
    const { prefix, label } = splitLabel(labels[bestOf(unit.scores)], labels);
    const last = groups.at(-1);
    const ended = 'LEUS'.includes(prefix);
    if (last?.label === label && !last.ended && !'BUS'.includes(prefix)) {
      last.units.push(unit);
      last.ended = ended;
    } else groups.push({ label, ended, units: [unit] });
  }
  return groups.map(({ label, units }): Entity => {
    const { start } = units[0];
    const { end } = units[units.length - 1];
    const score = mean(units.map(({ scores }) => largest(scores)));
    return { label, score, text: text.slice(start, end), start, end };
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

/** 'B-PER' → B and PER. L, U, E and S are prefixes only if the class has B- or I- as well; a label without a prefix counts as inside. */
function splitLabel(name: string, labels: string[]): { prefix: string; label: string } {
  const [, prefix, label] = /^([BILUES])-(.+)$/s.exec(name) ?? [];
  const isPrefix = label && ('BI'.includes(prefix) || labels.includes(`B-${label}`) || labels.includes(`I-${label}`));
  return isPrefix ? { prefix, label } : { prefix: 'I', label: name };
}
