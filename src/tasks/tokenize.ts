import type { Words } from '../api/calls';
import type { Call } from './call';
import { checkText, checkWords, tokenizerOf } from './common';

export const tokenize: Call = {
  async run(parts, text: string | Words, pair?: string | Words) {
    const own = part(text, 'The text');
    return tokenizerOf(parts).encode(own, pair === undefined || pair === '' ? undefined : part(pair, 'The pair'));
  },
};

function part(text: string | Words, name: string): string | string[] {
  if (typeof text === 'object' && text !== null) return checkWords(text, name);
  if (text !== '') checkText(text, name);
  return text;
}
