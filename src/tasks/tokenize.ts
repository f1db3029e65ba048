import type { Words } from '../api/calls';
import type { Call } from './call';
import { checkText, checkWords, tokenizerOf } from './common';

export const tokenize: Call = {
  async run(parts, text: string | Words, pair?: string | Words) {
    return tokenizerOf(parts).encode(part(text, 'The text'), pair === undefined ? undefined : part(pair, 'The pair'));
  },
};

function part(text: string | Words, name: string): string | string[] {
  if (typeof text === 'object' && text !== null) return checkWords(text, name);
  if (text !== '') checkText(text, name);
  return text;
}
