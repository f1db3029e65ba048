/** A stretch of a text, UTF-16 offsets. */
export interface Span {
  start: number;
  end: number;
}

/** A sentence. It begins where the one before it ends: tokens may begin with the white space between them. */
export interface Sentence extends Span {
  /** Tokens that begin in it. */
  tokens: number;
  /** Whether it begins a paragraph. */
  begins: boolean;
}

/** Neighbouring sentences that get one vector. */
export interface Passage extends Span {
  tokens: number;
  sentences: Sentence[];
}

/** Lines of so many characters that another one follows were broken by the width of a page, not by their writer. */
const WRAPPED = { least: 40, most: 120 };

/** The text, of the same length, with spaces for the line breaks that only the width of a page has made. */
export function unwrapped(text: string): string {
  const lines = text.split('\n');
  return lines
    .map((line, i) => {
      if (i === lines.length - 1) return line;
      const goesOn = line.trim().length >= WRAPPED.least && line.length <= WRAPPED.most && lines[i + 1].trim() !== '';
      return `${line}${goesOn ? ' ' : '\n'}`;
    })
    .join('');
}

/** Where a text is best divided: between paragraphs, else sentences, else words. */
const GAPS = [/\n\s*\n/g, /\n|[.!?]\s|[。！？]/g, /\s/g];

/** Where the piece of `text` from `start` on ends that has up to `size` characters, and half of them at least. */
export function pieceEnd(text: string, start: number, size: number): number {
  const end = start + size;
  if (end >= text.length) return text.length;
  const half = start + Math.floor(size / 2);
  const later = text.slice(half, end);
  for (const gap of GAPS) {
    const last = [...later.matchAll(gap)].at(-1);
    if (last) return half + last.index + last[0].length;
  }
  return /[\ud800-\udbff]/.test(text[end - 1]) ? end - 1 : end; // not within a character
}

const segmenter = new Intl.Segmenter('und', { granularity: 'sentence' });

/**
 * The sentences of a piece of a text, which together are the piece. `starts`: where its tokens begin in it, ascending. `at`: where the piece begins
 * in the text, to which the sentences' offsets refer. Sentences of more than `most` tokens are divided; what has no tokens goes with a neighbour.
 */
export function sentencesOf(piece: string, starts: number[], most: number, at = 0): Sentence[] {
  const plain = unwrapped(piece);
  const found: Sentence[] = [];
  let token = 0;
  let start = 0;
  for (const { index, segment } of segmenter.segment(plain)) {
    const end = index + segment.trimEnd().length;
    if (segment.trim() === '') continue;
    const lead = plain.slice(start, index + segment.length - segment.trimStart().length);
    const first = token;
    while (token < starts.length && starts[token] < end) token++;
    // Without tokens it goes with what follows.
    if (token === first) continue;
    const begins = start === 0 || /\n/.test(lead);
    const parts = divided(plain, { start, end }, starts.slice(first, token), most);
    for (const [i, part] of parts.entries()) found.push({ ...part, begins: begins && i === 0 });
    start = end;
  }
  const last = found.at(-1);
  if (!last) return [];
  last.end = piece.length;
  return found.map((sentence) => ({ ...sentence, start: at + sentence.start, end: at + sentence.end }));
}

/** A span in parts of up to `most` of its tokens, which begin at `starts`; divided between words if that is possible. */
function divided(text: string, { start, end }: Span, starts: number[], most: number): (Span & { tokens: number })[] {
  const isWordStart = (token: number) => /\s/.test(text.slice(starts[token] - 1, starts[token] + 1));
  const parts: (Span & { tokens: number })[] = [];
  let from = 0;
  while (starts.length - from > most) {
    let cut = from + most;
    while (cut > from + most / 2 && !isWordStart(cut)) cut--;
    if (!isWordStart(cut)) cut = from + most;
    while (cut > from + 1 && starts[cut] === starts[cut - 1]) cut--; // tokens of one character
    parts.push({ start: from === 0 ? start : starts[from], end: starts[cut], tokens: cut - from });
    from = cut;
  }
  parts.push({ start: from === 0 ? start : starts[from], end, tokens: starts.length - from });
  return parts;
}

/** Tokens of a passage, at most: about 150 words. */
export const MOST = 200;
/** Share of `most` from which on a passage ends with its paragraph: about 80 words. */
const ENOUGH = 0.55;
/** A short text is to have so many passages, if they have so many tokens. */
const SEVERAL = 16;
const FEWEST = 24;

/** Sentences in passages of up to `most` tokens, which end with paragraphs where they can. */
export function passagesOf(sentences: Sentence[], most = MOST): Passage[] {
  const total = sentences.reduce((sum, { tokens }) => sum + tokens, 0);
  const enough = Math.min(ENOUGH * most, Math.max(FEWEST, total / SEVERAL));
  const passages: Passage[] = [];
  for (const sentence of sentences) {
    const { start, end, tokens } = sentence;
    const last = passages.at(-1);
    if (!last || last.tokens + tokens > most || (sentence.begins && last.tokens >= enough)) {
      passages.push({ start, end, tokens, sentences: [sentence] });
    } else {
      last.end = end;
      last.tokens += tokens;
      last.sentences.push(sentence);
    }
  }
  return passages;
}

/** As many of the first passages as have up to `most` tokens together, but one at least. */
export function firstPassages(passages: Passage[], most: number): Passage[] {
  let count = 0;
  for (let tokens = 0; count < passages.length; count++) {
    tokens += passages[count].tokens;
    if (tokens > most) break;
  }
  return passages.slice(0, Math.max(1, count));
}
