import type { CallOptions, ModelInfo, Task, TextPair, Tokens } from '../api';
import { ModelFileError, UnsupportedModelError } from '../errors';
import { checkLength, TASK_NAMES } from '../forward';
import type { ModelConfig } from '../model/config';
import type { Item, SubmitOptions } from '../scheduler';
import type { Tokenizer, Truncation } from '../tokenizer/types';

/** What the calls of a model work with. */
export interface Parts {
  config: ModelConfig;
  info: ModelInfo;
  tokenizer: Tokenizer | undefined;
  /** The checkpoint's place, for messages. */
  where: string;
  submit(items: Item[], options?: SubmitOptions): Promise<void>;
}

export function tokenizerOf({ tokenizer, where }: Parts): Tokenizer {
  if (tokenizer) return tokenizer;
  throw new ModelFileError(`There is no tokenizer.json in ${where}: this model takes token ids only (forward).`);
}

export interface EncodeOptions {
  /** What gives way when a sequence is too long; of a pair by default the longer text. */
  truncation?: Truncation;
  /** Most tokens of a sequence, special ones included. Default: the model's limit. */
  maxTokens?: number;
  /** What messages call the inputs. */
  what?: string;
}

/** Milliseconds of tokenizing after which others get a turn: an abort can reach the worker then. */
const TURN = 50;

/** The inputs' tokens, one sequence each. Rejects with TypeError or RangeError for what cannot be run, or the signal's reason. */
export async function encode(
  parts: Parts,
  inputs: (string | TextPair)[],
  { signal, truncate = false }: CallOptions,
  { truncation, maxTokens = parts.info.maxTokens, what = 'Text' }: EncodeOptions = {},
): Promise<Tokens[]> {
  const tokenizer = tokenizerOf(parts);
  if (!Array.isArray(inputs)) throw new TypeError(`${what}s must be a string or an array, not ${typeof inputs}.`);
  if (inputs.length === 0) throw new RangeError(`There are no ${what.toLowerCase()}s: the list is empty.`);
  const encoded: Tokens[] = [];
  let turn = performance.now();
  for (const [i, input] of inputs.entries()) {
    const [text, pair] = textsOf(input, `${what} ${i}`);
    const tokens = tokenizer.encode(text, pair, truncate ? maxTokens : undefined, truncation);
    checkLength(parts.info, tokens.ids.length, `${what} ${i}`);
    encoded.push(tokens);
    if (performance.now() - turn < TURN) continue;
    await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
    turn = performance.now();
  }
  return encoded;
}

/** A text, and its pair if it has one. */
function textsOf(input: string | TextPair, what: string): [text: string, pair?: string] {
  const texts = typeof input === 'object' && input !== null ? ([input.text, input.pair] as const) : ([input] as const);
  for (const text of texts) {
    if (typeof text !== 'string') {
      throw new TypeError(
        texts.length === 2
          ? `${what} must be a string or { text, pair } of two strings.`
          : `${what} is not a string but ${text === null ? 'null' : typeof text}.`,
      );
    }
    if (text === '') throw new RangeError(`${what} is empty.`);
  }
  return [...texts];
}

/** Throws UnsupportedModelError where the checkpoint's head is not the one that `call` needs. */
export function needs({ info }: Parts, task: Task, call: string): void {
  if (info.task !== task) {
    throw new UnsupportedModelError(
      `${call} needs a ${TASK_NAMES[task]}; this checkpoint is a ${TASK_NAMES[info.task]}.`,
    );
  }
}

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

export function softmax(logits: Float32Array): number[] {
  const most = Math.max(...logits);
  const powers = Array.from(logits, (x) => Math.exp(x - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / sum);
}
