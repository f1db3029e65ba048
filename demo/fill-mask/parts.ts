/** A part of a text, by UTF-16 offsets. */
export interface Span {
  start: number;
  end: number;
}

/** `gap`: what is left out of a long text. */
export interface Part extends Span {
  kind: 'text' | 'word' | 'mask' | 'gap';
}

/** Most characters shown on either side of a mask in a long text, and of a text without masks. */
const SIDE = 160;
const START = 1200;

/** Where a mask token stands in a text. */
export function masksIn(text: string, maskToken: string): Span[] {
  const spans: Span[] = [];
  for (let at = text.indexOf(maskToken); at >= 0; at = text.indexOf(maskToken, at + maskToken.length))
    spans.push({ start: at, end: at + maskToken.length });
  return spans;
}

/**
 * A text as what is shown of it, in order: masks, words as Unicode segments them (UAX 29), and what is between. Of long pieces without a
 * mask only what is near one is shown. A word that is cut there is no word.
 */
export function partsOf(text: string, masks: Span[]): Part[] {
  const starts = [0, ...masks.map(({ end }) => end)];
  const ends = [...masks.map(({ start }) => start), text.length];
  return ends.flatMap((end, i) => {
    const start = starts[i];
    const head = masks.length === 0 ? START : i === 0 ? 0 : SIDE;
    const tail = i === masks.length ? 0 : SIDE;
    const mask: Part[] = i < masks.length ? [{ kind: 'mask', ...masks[i] }] : [];
    if (end - start <= head + tail) return [...wordsIn(text, { start, end }), ...mask];
    const [from, to] = [start + head, end - tail];
    return [
      ...wordsIn(text, { start, end: from }, from),
      { kind: 'gap' as const, start: from, end: to },
      ...wordsIn(text, { start: to, end }, to),
      ...mask,
    ];
  });
}

const segmenter = new Intl.Segmenter('und', { granularity: 'word' });

/** The words of a span and what is between them; `cut`: where it was cut off from the rest, so that the word there is text. */
function wordsIn(text: string, { start, end }: Span, cut?: number): Part[] {
  const parts: Part[] = [];
  for (const { segment, index, isWordLike } of segmenter.segment(text.slice(start, end))) {
    const [from, to] = [start + index, start + index + segment.length];
    const last = parts.at(-1);
    if (isWordLike && from !== cut && to !== cut) parts.push({ kind: 'word', start: from, end: to });
    else if (last?.kind === 'text') last.end = to;
    else parts.push({ kind: 'text', start: from, end: to });
  }
  return parts;
}
