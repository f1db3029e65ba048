import type { ScoredWord } from './surprise';

export const bitsOf = ({ bits }: Pick<ScoredWord, 'bits'>): number => bits.reduce((a, b) => a + b, 0);
export const isScored = ({ bits, tokens }: ScoredWord): boolean => bits.length === tokens.length;

/** A text's likelihood to a masked language model. */
export interface Likelihood {
  /** The negated pseudo-log-likelihood to base 2, over all tokens but the special ones and masks. */
  bits: number;
  words: number;
  tokens: number;
  /** `bits` per word, and as a power of two per token (Salazar et al. 2020, "Masked Language Model Scoring"). NaN without any. */
  bitsPerWord: number;
  pseudoPerplexity: number;
}

/** Of the words that have their bits. */
export function likelihoodOf(words: ScoredWord[]): Likelihood {
  const scored = words.filter(isScored);
  const bits = scored.reduce((sum, word) => sum + bitsOf(word), 0);
  const count = scored.filter(({ isWord }) => isWord).length;
  const tokens = scored.reduce((sum, word) => sum + word.tokens.length, 0);
  return { bits, words: count, tokens, bitsPerWord: bits / count, pseudoPerplexity: 2 ** (bits / tokens) };
}

const large = new Intl.NumberFormat('en', { notation: 'compact', compactDisplay: 'long', maximumSignificantDigits: 2 });
const SUPERSCRIPT = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** 2 to the power of `bits`, for people, rounded: 1.4, 5,000, 3.3 billion, 10²¹. */
export function powerOfTwo(bits: number): string {
  const n = 2 ** bits;
  if (n < 10) return n.toFixed(1);
  if (n < 1e6) return Number(n.toPrecision(3)).toLocaleString('en');
  if (n < 1e15) return large.format(n);
  const exponent = String(Math.round(bits * Math.log10(2)));
  return `10${[...exponent].map((digit) => SUPERSCRIPT[Number(digit)]).join('')}`;
}
