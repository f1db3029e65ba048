import type { Call } from './call';
import { tokenizerOf } from './common';

export const tokenize: Call = {
  async run(parts, text: string, pair?: string) {
    if (typeof text !== 'string') throw new TypeError(`The text must be a string, it is ${typeof text}.`);
    return tokenizerOf(parts).encode(text, pair);
  },
};
