/** How far two lists of words, best first, agree. */
export interface Agreement {
  sameFirst: boolean;
  /** Words that both have, whatever their places. */
  shared: string[];
}

export function agreement(a: string[], b: string[]): Agreement {
  const other = new Set(b);
  return { sameFirst: a.length > 0 && a[0] === b[0], shared: [...new Set(a)].filter((word) => other.has(word)) };
}
