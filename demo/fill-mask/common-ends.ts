/** How much two texts, or lists of words, have in common at their beginning and, apart from that, at their end. */
export function commonEnds(a: string | string[], b: string | string[]): { head: number; tail: number } {
  const shorter = Math.min(a.length, b.length);
  let head = 0;
  while (head < shorter && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < shorter - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  return { head, tail };
}
