/** A part of a text; `match`: a word of the query. */
export interface Piece {
  text: string;
  match: boolean;
}

const WORD = /[\p{L}\p{N}\p{M}]+/gu;
/** Scripts that are written without spaces between words: a query's word may be anywhere in a run of letters. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/u;
/** Shorter words, and these, are marked only if the query has no others: English, German, French, Spanish, Italian. */
const TELLING = 3;
const COMMON = new Set(
  `about been does from have into just more much some than that their them then there they this were what when where which will with would your
  all and any are but can did for get one had has her him his how its may nor not off our out she the too was who why you
  als auf aus bei das dem den der des die ein für ist mit nach sich sie und von war wie zum zur
  aux ces est les mes nos par pas plus pour que qui ses son sur une dans avec
  como con del las los más muy para pero por sin sus una che dei del gli nel non per più`.split(/\s+/),
);
/** Letters from which on the last word may be the beginning of one. */
const BEGUN = 4;

const normal = (word: string) => word.normalize('NFKC').toLowerCase();

/** The words of a query that are looked for: those that tell something, or all if none does. */
function wantedOf(words: string[]): string[] {
  const isTelling = (word: string) => (word.length >= TELLING && !COMMON.has(word)) || UNSPACED.test(word);
  return words.some(isTelling) ? words.filter(isTelling) : words;
}

/** Whether a text has every word of a query that tells something, or a word that begins with it. An empty query has none. */
export function hasWords(text: string, query: string): boolean {
  const wanted = wantedOf((query.match(WORD) ?? []).map(normal));
  return wanted.length > 0 && wanted.every((word) => highlight(text, word).some(({ match }) => match));
}

/** The text with the query's words marked; the last one may be the beginning of a word. */
export function highlight(text: string, query: string): Piece[] {
  const words = (query.match(WORD) ?? []).map(normal);
  const wanted = wantedOf(words);
  const last = wanted.at(-1) === words.at(-1) ? wanted.at(-1) : undefined;
  const pieces: Piece[] = [];
  let at = 0;
  const mark = (start: number, end: number) => {
    if (start > at) pieces.push({ text: text.slice(at, start), match: false });
    pieces.push({ text: text.slice(start, end), match: true });
    at = end;
  };
  for (const { index, 0: run } of text.matchAll(WORD)) {
    const word = normal(run);
    if (wanted.includes(word) || (last && last.length >= BEGUN && word.startsWith(last))) {
      mark(index, index + run.length);
      continue;
    }
    for (const part of wanted) {
      const inside = UNSPACED.test(part) ? run.indexOf(part, Math.max(0, at - index)) : -1;
      if (inside >= 0) mark(index + inside, index + inside + part.length);
    }
  }
  if (at < text.length) pieces.push({ text: text.slice(at), match: false });
  return pieces;
}
