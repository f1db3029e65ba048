import type { Tokens } from '../../src/index';

/** A word of a text, or a token that is in none: UTF-16 offsets, and the indices of its tokens, which follow one another. */
export interface Word {
  start: number;
  end: number;
  tokens: number[];
}

/**
 * The words of a text as Unicode segments them (UAX 29), each with all its tokens. Punctuation, special tokens and masks are no words.
 * Words that share a token are one.
 */
export function wordsOf(text: string, { tokens, offsets }: Tokens, maskToken: string | undefined): Word[] {
  const segments = [...new Intl.Segmenter('und', { granularity: 'word' }).segment(text)]
    .filter(({ isWordLike }) => isWordLike)
    .map(({ index, segment }) => ({ start: index, end: index + segment.length }));
  const words: Word[] = [];
  let at = 0;
  for (const [t, [start, end]] of offsets.entries()) {
    if (end === 0 || tokens[t] === maskToken) continue;
    while (segments[at] && segments[at].end <= start) at++;
    if (!segments[at] || segments[at].start >= end) continue;
    let last = at;
    while (segments[last + 1]?.start < end) last++;
    const open = words.at(-1);
    if (open && open.end > start) {
      open.end = Math.max(open.end, segments[last].end);
      open.tokens.push(t);
    } else {
      words.push({ start: segments[at].start, end: segments[last].end, tokens: [t] });
    }
  }
  return words;
}

/** The tokens in no word, such as punctuation and white space, each by itself unless they share a character; no masks and no special tokens. */
export function restOf({ tokens, offsets }: Tokens, words: Word[], maskToken: string | undefined): Word[] {
  const inWords = new Set(words.flatMap(({ tokens }) => tokens));
  const rest: Word[] = [];
  for (const [t, [start, end]] of offsets.entries()) {
    if (end === 0 || tokens[t] === maskToken || inWords.has(t)) continue;
    const last = rest.at(-1);
    if (last && last.end > start) {
      last.end = Math.max(last.end, end);
      last.tokens.push(t);
    } else {
      rest.push({ start, end, tokens: [t] });
    }
  }
  return rest;
}
