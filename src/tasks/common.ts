import type { ModelInfo, Task, Tokens } from '../api';
import { ModelFileError, UnsupportedModelError } from '../errors';
import { checkLength, TASK_NAMES } from '../forward';
import type { ModelConfig } from '../model/config';
import type { Item } from '../scheduler';
import type { Tokenizer } from '../tokenizer/types';

/** What the calls of a model work with. */
export interface Parts {
  config: ModelConfig;
  info: ModelInfo;
  tokenizer: Tokenizer | undefined;
  /** The checkpoint's place, for messages. */
  where: string;
  submit(items: Item[], signal?: AbortSignal): Promise<void>;
}

export function tokenizerOf({ tokenizer, where }: Parts): Tokenizer {
  if (tokenizer) return tokenizer;
  throw new ModelFileError(`There is no tokenizer.json in ${where}: this model takes token ids only (forward).`);
}

/** The texts' tokens. Throws TypeError or RangeError for what cannot be run. */
export function encode(parts: Parts, texts: string[], truncate = false): Tokens[] {
  const { info } = parts;
  if (texts.length === 0) throw new RangeError('There are no texts: the list is empty.');
  return texts.map((text, i) => {
    if (typeof text !== 'string')
      throw new TypeError(`Text ${i} is not a string but ${text === null ? 'null' : typeof text}.`);
    if (text === '') throw new RangeError(`Text ${i} is empty.`);
    const tokens = tokenizerOf(parts).encode(text, undefined, truncate ? info.maxTokens : undefined);
    checkLength(info, tokens.ids.length, `Text ${i}`);
    return tokens;
  });
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
