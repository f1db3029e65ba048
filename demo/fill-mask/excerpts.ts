/** Most characters shown on either side of a mask in a long text. */
const SIDE = 160;

/**
 * The text around the masks: the piece before each of them and the one after the last, `masks.length + 1` in all. Long
 * pieces are shortened to what is near a mask.
 */
export function excerpts(text: string, masks: { start: number; end: number }[]): string[] {
  const ends = [...masks.map(({ start }) => start), text.length];
  const starts = [0, ...masks.map(({ end }) => end)];
  return ends.map((end, i) => {
    const piece = text.slice(starts[i], end);
    const head = i === 0 ? '' : piece.slice(0, SIDE);
    const tail = i === masks.length ? '' : piece.slice(-SIDE);
    return piece.length <= head.length + tail.length ? piece : `${head} … ${tail}`;
  });
}
