import type { CallOptions, TextPair, Tokens, Words } from '../api/calls';
import type { EmbedOptions, Precision } from '../api/embeddings';
import { ModelFileError } from '../api/errors';
import type { ModelInfo } from '../api/types';
import type { ModelConfig } from '../model/config';
import type { GlinerConfig } from '../model/gliner/config';
import type { GlinerHeads } from '../model/gliner/gliner';
import { sequenceLogits as sequenceLogitsHead } from '../model/heads/logits';
import type { Chain, SentenceConfig } from '../model/sentence';
import type { Item } from '../runtime/pass-items';
import type { SubmitOptions } from '../runtime/scheduler';
import type { Tokenizer, Truncation } from '../tokenizer/types';
import { type Span, trimSpan } from '../tokenizer/white-space';
import { turns } from '../turns';
import { prompted, withoutPrompt } from './prompts';

/** What the calls of a model work with. */
export interface Parts {
  config: ModelConfig;
  /** Logits per row of the checkpoint's head. */
  logits: number;
  /** Whether the model has BERT's pooler. */
  hasPooler: boolean;
  sentence: SentenceConfig;
  info: ModelInfo;
  tokenizer: Tokenizer | undefined;
  /** Where the checkpoint is, for messages. */
  where: string;
  spaces: Spaces;
  submit(items: Item[], options?: SubmitOptions): Promise<void>;
  /** Of a GLiNER model; `labels`: the parts of the encoder that reads them, if it is another. */
  gliner?: { config: GlinerConfig; heads: GlinerHeads; labels?: Parts };
}

/** Names a result's embedding space (session/embedding-space.ts). */
export type SpaceOf = (result: {
  /** What made it of the hidden states; only with `chain` the checkpoint's own. */
  pooling?: string | string[];
  chain?: Chain;
  dim: number;
  /** Of `chain`: whether rows are made of unit length after it. */
  normalize?: boolean;
  precision?: Precision;
  ranges?: EmbedOptions['ranges'];
}) => string;

/** Those of a model's results, once it is loaded. */
export interface Spaces {
  of: SpaceOf;
}

export function tokenizerOf({ tokenizer, where }: Parts): Tokenizer {
  if (tokenizer) return tokenizer;
  throw new ModelFileError(
    `There is no tokenizer.json in ${where}: this model accepts only token ids (forward). If it has another tokenizer file, this writes one (of sentencepiece's after pip install sentencepiece protobuf): python -c "from transformers import AutoTokenizer; AutoTokenizer.from_pretrained('ID').save_pretrained('FOLDER')"`,
  );
}

export interface EncodeOptions {
  /** What is cut when a sequence is too long; of a pair, by default the longer text. */
  truncation?: Truncation;
  /** Most tokens per sequence, special ones included. Default: the model's limit. */
  maxTokens?: number;
  /** Most tokens that an input may have if it is not cut. Default: the model's limit. */
  limit?: number;
  /** The name of an input in messages. */
  name?: (i: number) => string;
  /** Put before every text; of a pair, before the first. */
  prompt?: string;
  /** Whether texts lose the whitespace at their ends, with their prompts. */
  strips?: boolean;
  /** The tokens of inputs that are tokenized already. */
  given?: (Tokens | undefined)[];
}

/** An item without what follows from its tokens. */
export type ItemPart = Omit<Item, 'ids' | 'name'> & { ids?: Uint32Array };

/**
 * Tokenizes the inputs, and makes an item of each. Only what `itemOf` keeps of the tokens stays in memory.
 * Rejects with a TypeError or RangeError for invalid input, or with the signal's reason.
 */
export async function encode(
  parts: Parts,
  inputs: (string | TextPair | Words)[],
  { signal, truncate = false }: CallOptions,
  itemOf: (tokens: Tokens, i: number) => ItemPart,
  {
    truncation,
    limit = parts.info.maxTokens,
    maxTokens = limit,
    name = (i) => `Text ${i}`,
    prompt = '',
    strips = false,
    given,
  }: EncodeOptions = {},
): Promise<Item[]> {
  const tokenizer = tokenizerOf(parts);
  checkList(inputs, 'texts');
  const tokensOf = (input: string | TextPair | Words, i: number): Tokens => {
    const [text, pair] = textsOf(input, name(i));
    const own = typeof text === 'string' ? prompted(text, prompt, strips) : { text, shift: 0 };
    const encoded = tokenizer.encode(own.text, pair, truncate ? maxTokens : undefined, truncation);
    return { ...encoded, offsets: withoutPrompt(encoded.offsets, own.shift) };
  };
  return paced(inputs, signal, (input, i) => {
    const tokens = given?.[i] ?? tokensOf(input, i);
    checkLength({ ...parts.info, maxTokens: limit }, tokens.ids.length, name(i));
    return { ...inputsOf(parts, tokens), name: name(i), ...itemOf(tokens, i) };
  });
}

/** What the model reads of tokens: ids, and their types if there are several. */
export function inputsOf(
  { config: { type_vocab_size = 0 } }: Parts,
  { ids, tokenTypeIds }: Pick<Tokens, 'ids' | 'tokenTypeIds'>,
): Pick<Item, 'ids' | 'token_type_ids'> {
  return type_vocab_size > 1 && tokenTypeIds.some((type) => type > 0) ? { ids, token_type_ids: tokenTypeIds } : { ids };
}

function textsOf(input: string | TextPair | Words, name: string): [text: string | string[], pair?: string] {
  if (typeof input !== 'object' || input === null) {
    checkText(input, name);
    return [input];
  }
  if ('words' in input) return [checkWords(input, name)];
  checkText(input.text, `${name}: text`);
  checkText(input.pair, `${name}: pair`);
  return [input.text, input.pair];
}

/** Throws a RangeError for a sequence that is too long for the model or for a pass. */
export function checkLength(
  info: Pick<ModelInfo, 'maxTokens' | 'maxTokensPerPass'>,
  length: number,
  what: string,
): void {
  if (length > info.maxTokens) {
    throw new RangeError(
      `${what} has ${length} tokens, the model's limit is ${info.maxTokens}. Shorten it, or pass truncate: true.`,
    );
  }
  if (length > info.maxTokensPerPass) {
    throw new RangeError(
      `${what} has ${length} tokens, but one pass on this device holds ${info.maxTokensPerPass} (maxTokensPerPass).`,
    );
  }
}

/** Throws a TypeError for anything but a list. */
export function checkList(list: unknown, what: string): asserts list is unknown[] {
  if (!Array.isArray(list))
    throw new TypeError(`The ${what} must be an array, not ${list === null ? 'null' : typeof list}.`);
}

/** Throws a TypeError for anything but a list, a RangeError for an empty one. */
export function checkFilled(list: unknown, what: string): void {
  checkList(list, what);
  if (list.length === 0) throw new RangeError(`There are no ${what}: the list is empty.`);
}

/** Maps a list and yields to the event loop now and then. Rejects with the signal's reason. */
export async function paced<T, R>(
  list: T[],
  signal: AbortSignal | undefined,
  map: (entry: T, i: number) => R,
): Promise<R[]> {
  const pause = turns(signal);
  const results: R[] = [];
  for (const [i, entry] of list.entries()) {
    results.push(map(entry, i));
    await pause();
  }
  return results;
}

/** The words of a text that is split already. Throws a TypeError for anything but a list of strings, a RangeError for an empty one. */
export function checkWords({ words }: Words, name: string): string[] {
  checkFilled(words, `words of ${name[0].toLowerCase()}${name.slice(1)}`);
  for (const [w, word] of words.entries()) checkText(word, `${name}: word ${w}`);
  return words;
}

/** A span without the whitespace at its ends, which may have tokens of its own; as it is if it is only that. */
export function withoutSpace(text: string, start: number, end: number): Span {
  const span = trimSpan(text, [start, end]);
  return span[0] < span[1] ? span : [start, end];
}

/** Throws a TypeError for anything but a string, a RangeError for an empty one. */
export function checkText(text: unknown, name: string): void {
  if (typeof text !== 'string') {
    throw new TypeError(`${name} must be a string, it is ${text === null ? 'null' : typeof text}.`);
  }
  if (text === '') throw new RangeError(`${name} is empty.`);
}

/** The classifier's logits per sequence. */
export async function sequenceLogits(
  parts: Parts,
  inputs: (string | TextPair)[],
  options: CallOptions,
  encodeOptions?: EncodeOptions,
): Promise<Float32Array[]> {
  const logits: Float32Array[] = [];
  const { read = (row: Float32Array) => row.slice() } = parts.sentence.chains.any?.modules.at(-1) ?? {};
  const itemOf = (_: Tokens, i: number): ItemPart => {
    const deliver = (data: Float32Array) => {
      logits[i] = read(data);
    };
    return { wanted: [{ head: sequenceLogitsHead, deliver }] };
  };
  const items = await encode(parts, inputs, options, itemOf, encodeOptions);
  await parts.submit(items, { signal: options.signal, onProgress: options.onProgress });
  return logits;
}

/** Throws a RangeError for an invalid number of results. */
export function checkTopK(topK: number | undefined, most = Infinity): void {
  if (topK === undefined || (Number.isInteger(topK) && topK >= 1 && topK <= most)) return;
  throw new RangeError(
    `topK must be ${most === Infinity ? 'a positive integer' : `an integer from 1 to the vocabulary size ${most}`}, it is ${topK}.`,
  );
}

export const byScore = (a: { score: number }, b: { score: number }): number => b.score - a.score;

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

export const largest = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), -Infinity);

export function softmax(logits: ArrayLike<number>): number[] {
  const values = Array.from(logits);
  const most = largest(values);
  const powers = values.map((x) => Math.exp(x - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / sum);
}
