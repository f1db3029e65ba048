import type { EntitiesOptions, Entity } from '../api/calls';
import { ModelFileError } from '../api/errors';
import { CALL_OPTIONS, type OptionNames } from '../api/options';
import type { GlinerConfig } from '../model/gliner/config';
import type { GlinerHeads } from '../model/gliner/gliner';
import type { Item } from '../runtime/pass-items';
import { type Call, oneOrMany } from './call';
import { checkFilled, checkLength, checkList, checkText, encode, type Parts, paced, tokenizerOf } from './common';
import { greedy, scoredSpans, taggedSpans } from './entity-decoding';

const OPTIONS: OptionNames<EntitiesOptions> = { ...CALL_OPTIONS, threshold: true, flat: true, multiLabel: true };

export const entities: Call = { task: 'gliner', inputs: 2, options: OPTIONS, run: oneOrMany(entitiesOf) };

/** A word of a text, by its UTF-16 offsets. */
interface Word {
  text: string;
  start: number;
  end: number;
}

/** GLiNER's WhitespaceTokenSplitter. Python's \w has no combining marks; its \s has U+001C to U+001F, and U+FEFF is none. */
const WORD = /[\p{L}\p{N}_]+(?:[-_][\p{L}\p{N}_]+)*|\P{White_Space}/gu;

const isSpace = (word: string): boolean => word >= '\x1c' && word <= '\x1f';

export const wordsOf = (text: string): Word[] =>
  Array.from(text.matchAll(WORD), ({ 0: word, index }) => ({
    text: word,
    start: index,
    end: index + word.length,
  })).filter((word) => !isSpace(word.text));

async function entitiesOf(
  parts: Parts,
  texts: string[],
  labels: string[],
  options: EntitiesOptions = {},
): Promise<Entity[][]> {
  const { signal, onProgress, truncate = false, threshold = 0.5, flat = true, multiLabel = false } = options;
  const { config, heads, labels: labelParts } = parts.gliner!;
  const { glinerScores, paddedLabels, scoresPerLabel } = heads;
  if (typeof threshold !== 'number' || !(threshold >= 0 && threshold <= 1)) {
    throw new RangeError(`threshold must be a number from 0 to 1, it is ${threshold}.`);
  }
  const least = Math.fround(threshold);
  checkList(texts, 'texts');
  checkFilled(labels, 'labels');
  labels.forEach((label, i) => {
    checkText(label, `Label ${i}`);
  });
  const names = [...new Set(labels)];
  const most = paddedLabels(names.length);
  const vectors = labelParts && (await labelVectors(labelParts, config, heads, names, most, options));
  const prompt = vectors ? [] : promptOf(parts, config, names);
  const head = glinerScores(most);
  const results: Entity[][] = texts.map(() => []);
  const items = await paced(texts, signal, (text, i): Item[] => {
    checkText(text, `Text ${i}`);
    const sequence = sequenceOf(parts, config, text, `Text ${i}`, { prompt, labels: names.length, truncate });
    const { ids, words, rows, wordSpans, labelSpans } = sequence;
    if (words.length === 0) return [];
    const lists = [wordSpans, vectors ?? padded(labelSpans, most)];
    const deliver = (logits: Float32Array) => {
      const sizes = { words: words.length, stride: most, labels: names.length };
      const spans =
        config.span_mode === 'token'
          ? taggedSpans(logits, sizes, least)
          : scoredSpans(logits, { ...sizes, widths: scoresPerLabel(config) }, least);
      results[i] = greedy(spans, { flat, multiLabel }).map(({ first, last, label, score }): Entity => {
        const [{ start }, { end }] = [words[first], words[last]];
        return { label: names[label], score, text: text.slice(start, end), start, end };
      });
    };
    return [{ ids, name: `Text ${i}`, wanted: [{ head, rows, lists, deliver }] }];
  });
  await parts.submit(items.flat(), { signal, onProgress });
  return results;
}

/** What stands before a text that one encoder reads together with the labels. */
function promptOf(parts: Parts, { ent_token, sep_token, class_token_index }: GlinerConfig, labels: string[]): string[] {
  const id = tokenizerOf(parts).tokenId(ent_token);
  if (id !== class_token_index) {
    throw new ModelFileError(
      `gliner_config.json: class_token_index is ${class_token_index}, but by tokenizer.json the token ${JSON.stringify(ent_token.slice(0, 100))} (ent_token) is ${id === undefined ? 'missing' : `token ${id}`}. The tokenizer is of another model.`,
    );
  }
  return [...labels.flatMap((label) => [ent_token, label]), sep_token];
}

interface SequenceOptions {
  prompt: string[];
  labels: number;
  truncate: boolean;
}

/** A text as the model reads it: its words, which of its tokens count (`rows`), and which of these each word and label is made of. */
function sequenceOf(
  parts: Parts,
  { max_len, subtoken_pooling, embed_ent_token }: GlinerConfig,
  text: string,
  name: string,
  { prompt, labels, truncate }: SequenceOptions,
) {
  const all = wordsOf(text);
  if (all.length > max_len && !truncate) {
    throw new RangeError(
      `${name} has ${all.length} words, the model's limit is ${max_len} (max_len). Shorten it, or pass truncate: true.`,
    );
  }
  const given = all.slice(0, max_len);
  const { maxTokens } = parts.info;
  const { ids, wordIds } = tokenizerOf(parts).encode(
    [...prompt, ...given.map((word) => word.text)],
    undefined,
    truncate ? maxTokens : undefined,
  );
  checkLength(parts.info, ids.length, prompt.length > 0 ? `${name} with its labels` : name);
  /** By word, its tokens; words of which none is left are left out. */
  const tokens = new Map<number, number[]>();
  wordIds.forEach((word, token) => {
    const own = tokens.get(word);
    if (own) own.push(token);
    else if (word >= 0) tokens.set(word, [token]);
  });
  const rows: number[] = [];
  const wordSpans: number[] = [];
  const addSpan = (spans: number[], own: number[]) => {
    const first = rows.length;
    for (const row of own) rows.push(row);
    spans.push(first, first, rows.length);
  };
  const kept: Word[] = [];
  given.forEach((word, w) => {
    const own = tokens.get(prompt.length + w);
    if (!own) return;
    kept.push(word);
    const whole = subtoken_pooling === 'mean' || subtoken_pooling === 'max';
    addSpan(wordSpans, whole ? own : [own[subtoken_pooling === 'last' ? own.length - 1 : 0]]);
  });
  const labelSpans: number[] = [];
  for (let label = 0; prompt.length > 0 && label < labels; label++) {
    const at = tokens.get(2 * label)?.[0];
    if (at === undefined || !tokens.has(2 * label + 1)) {
      throw new RangeError(
        `The ${labels} labels do not fit: with them a text may have ${Math.min(maxTokens, parts.info.maxTokensPerPass)} tokens. Pass fewer at a time.`,
      );
    }
    addSpan(labelSpans, [embed_ent_token ? at : at + 1]);
  }
  return {
    ids,
    words: kept,
    rows: Uint32Array.from(rows),
    wordSpans: Uint32Array.from(wordSpans),
    labelSpans,
  };
}

/** The spans of so many labels; the last one stands for those that are missing. */
const padded = (spans: number[], count: number): Uint32Array<ArrayBuffer> =>
  Uint32Array.from({ length: 3 * count }, (_, i) => spans[i] ?? spans[spans.length - 3 + (i % 3)]);

/** By model, the vectors of labels that its encoder for labels has read. */
const known = new WeakMap<GlinerConfig, Map<string, Float32Array>>();
const MOST_KNOWN = 10_000;

/** The labels' vectors as a list of `most` rows, zeros after the last. */
async function labelVectors(
  parts: Parts,
  config: GlinerConfig,
  { glinerLabels, labelStride }: GlinerHeads,
  labels: string[],
  most: number,
  { signal }: EntitiesOptions,
): Promise<Uint32Array<ArrayBuffer>> {
  const own = known.get(config) ?? new Map<string, Float32Array>();
  known.set(config, own);
  const found = new Map(labels.map((label) => [label, own.get(label)]));
  const wanted = labels.filter((label) => !found.get(label));
  if (wanted.length > 0) {
    const items = await encode(
      parts,
      wanted,
      { signal, truncate: true },
      (_, i) => ({ wanted: [{ head: glinerLabels, deliver: (data) => found.set(wanted[i], data.slice()) }] }),
      { name: (i) => `Label ${i}` },
    );
    await parts.submit(items, { signal });
    if (own.size + wanted.length > MOST_KNOWN) own.clear();
    for (const label of wanted) own.set(label, found.get(label)!);
  }
  const width = labelStride(config);
  const rows = new Float32Array(most * width);
  labels.forEach((label, i) => {
    rows.set(found.get(label)!, i * width);
  });
  return new Uint32Array(rows.buffer);
}
