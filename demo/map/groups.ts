/** More colours than these cannot be told apart. style.css has as many, --group-1 and on. */
export const COLOURS = 10;
const LONGEST_NAME = 40;

/** Which colour each point has, and the names that the legend shows for them. */
export interface Groups {
  names: string[];
  /** For each point the index of its name. */
  of: Uint8Array;
}

/** Gives each group a colour: of many groups the largest, and one for all others. */
export function groupsOf(groups: string[]): Groups {
  const sizes = new Map<string, number>();
  for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  const all = [...sizes.keys()];
  const own = all.length <= COLOURS ? all : all.sort((a, b) => sizes.get(b)! - sizes.get(a)!).slice(0, COLOURS - 1);
  const indices = new Map(own.map((group, i) => [group, i]));
  const names = own.map(shortened);
  if (own.length < all.length) names.push(`${all.length - own.length} other files`);
  return { names, of: Uint8Array.from(groups, (group) => indices.get(group) ?? own.length) };
}

/** A file's name with its end, which tells more than its middle. */
const shortened = (name: string): string =>
  name.length <= LONGEST_NAME ? name : `${name.slice(0, LONGEST_NAME / 2)}…${name.slice(1 - LONGEST_NAME / 2)}`;
