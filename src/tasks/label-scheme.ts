/** Schemes that mark where entities begin and end: IO, BIO, BIOES (also as BILOU or BMES), whichever a checkpoint's labels are of. */

/** A label's part of an entity, and its class: B begins one, I goes on, E ends it, S is a whole one. */
export interface Tag {
  part: 'B' | 'I' | 'E' | 'S';
  label: string;
}

const PARTS: Record<string, Tag['part']> = { B: 'B', I: 'I', M: 'I', E: 'E', L: 'E', S: 'S', U: 'S' };

/**
 * 'B-PER' → B of PER. The prefixes besides B and I are some only if the class has B- or I- as well. A label without a prefix is I: neighbours of
 * one class are one entity.
 */
export function tagsOf(labels: string[]): Tag[] {
  const known = new Set(labels);
  return labels.map((name) => {
    const [, prefix, label] = /^([BILUEMS])-(.+)$/s.exec(name) ?? [];
    const isPrefix = label && ('BI'.includes(prefix) || known.has(`B-${label}`) || known.has(`I-${label}`));
    return isPrefix ? { part: PARTS[prefix], label } : { part: 'I', label: name };
  });
}

/** Whether a tag is of the entity that the one before it is of. Illegal sequences count too: I after O begins an entity, E alone is one. */
export const continues = (last: Tag, next: Tag): boolean =>
  last.label === next.label && 'BI'.includes(last.part) && 'IE'.includes(next.part);

/**
 * Whether the scheme allows a tag after another; undefined is the text's end. Where a class has B, only B begins its entities; where it has E,
 * only E ends them, but for a B where whole ones have no tag of their own.
 */
function legal(tags: Tag[]): (last: Tag | undefined, next: Tag | undefined) => boolean {
  const known = new Set(tags.map(({ part, label }) => part + label));
  const isInside = ({ part, label }: Tag) => 'IE'.includes(part) && known.has(`B${label}`);
  const isOpen = ({ part, label }: Tag) =>
    known.has(`E${label}`) && (part === 'I' || (part === 'B' && known.has(`S${label}`)));
  return (last, next) =>
    (last && next && continues(last, next)) || !((next && isInside(next)) || (last && isOpen(last)));
}

/**
 * The most likely sequence of labels that the scheme allows (Viterbi): an index per row of `scores`, which has a probability per label. The best
 * label of each row if none is allowed.
 */
export function viterbi(scores: number[][], tags: Tag[]): number[] {
  const isLegal = legal(tags);
  const before = tags.map((next) => [...tags.keys()].filter((l) => isLegal(tags[l], next)));
  /** Per row and label: the label before it on the best way there. */
  const ways: number[][] = [];
  let sums: number[] = [];
  for (const row of scores) {
    const last = sums;
    const way = before.map((allowed) => allowed.reduce((a, b) => (last[b] > (last[a] ?? -Infinity) ? b : a), -1));
    const isFirst = ways.length === 0;
    sums = tags.map((tag, l) => {
      const sum = isFirst ? (isLegal(undefined, tag) ? 0 : -Infinity) : (last[way[l]] ?? -Infinity);
      return sum + Math.log(row[l]);
    });
    ways.push(way);
  }
  sums = sums.map((sum, l) => (isLegal(tags[l], undefined) ? sum : -Infinity));
  let label = bestOf(sums);
  if (!(sums[label] > -Infinity)) return scores.map(bestOf);
  const path = [label];
  for (let r = scores.length - 1; r > 0; r--) {
    label = ways[r][label];
    path.push(label);
  }
  return path.reverse();
}

export const bestOf = (scores: number[]): number => scores.reduce((a, b, i) => (b > scores[a] ? i : a), 0);
