/** JSON with what JSON.parse hides: repeated keys, and numbers as they are written. */
import type { Random } from './random';

/** Text that is written as it is: a number, a string, true, … */
type Leaf = string;
export type Tree = Leaf | { list: Tree[] } | { entries: [key: string, value: Tree][] };

export function treeOf(value: unknown): Tree {
  if (Array.isArray(value)) return { list: value.map(treeOf) };
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return { entries: Object.entries(value).map(([key, inner]) => [key, treeOf(inner)]) };
}

export function textOf(tree: Tree): string {
  if (typeof tree === 'string') return tree;
  if ('list' in tree) return `[${tree.list.map(textOf).join()}]`;
  return `{${tree.entries.map(([key, value]) => `${JSON.stringify(key)}:${textOf(value)}`).join()}}`;
}

const deep = (depth: number, open: string, close: string): Leaf => open.repeat(depth) + close.repeat(depth);

const EXTREMES: readonly Leaf[] = [
  ...'null true false 0 -0 -1 1 2 3 0.5 1e-9 255 256 65536 4294967295 4294967296 1e7 1e12 9007199254740992 1e300'.split(
    ' ',
  ),
  ...['""', '" "', '"a"', '"NaN"', '"null"', '"\\u0000"', '"\\ud800"', '"__proto__"', '"constructor"', '"Sequence"'],
  ...[
    '"[CLS]"',
    '"<unk>"',
    '"(a+)+b"',
    '"\\\\s+\\\\s+\\\\s+x"',
    '"["',
    '"\\\\p{L}{1,1000000}"',
    '[]',
    '{}',
    '[[]]',
    '[null]',
  ],
  ...['{"type":"Sequence"}', '{"Regex":""}', '{"String":""}', '{"Regex":"(?:a|a)*b"}', '{"0":0}', '-1e300', '1e400'],
  JSON.stringify('a'.repeat(100_000)),
  JSON.stringify('漢'.repeat(2000)),
  deep(5000, '[', ']'),
  deep(5000, '{"a":', '}').replace(':}', ':0}'),
  deep(500, '{"type":"Sequence","normalizers":[', ']}'),
];

/** Every place of a tree, as [what holds it, its index]. */
function placesOf(tree: Tree): [Tree, number][] {
  const places: [Tree, number][] = [];
  const visit = (node: Tree): void => {
    if (typeof node === 'string') return;
    const inner = 'list' in node ? node.list : node.entries.map(([, value]) => value);
    for (const [i, child] of inner.entries()) {
      places.push([node, i]);
      visit(child);
    }
  };
  visit(tree);
  return places;
}

const childAt = (node: Tree, i: number): Tree =>
  typeof node === 'string' ? node : 'list' in node ? node.list[i] : node.entries[i][1];

/** Changes one place of the tree. Long lists and objects are not hit in proportion to their length. */
export function mutateTree(tree: Tree, random: Random, donors: readonly Tree[]): void {
  const places = placesOf(tree);
  if (places.length === 0) return;
  const structural = places.filter(([node, i]) => typeof childAt(node, i) !== 'string');
  const small = places.filter(
    ([node]) => typeof node !== 'string' && ('list' in node ? node.list : node.entries).length < 20,
  );
  const from =
    random.chance(0.2) && structural.length > 0 ? structural : random.chance(0.7) && small.length > 0 ? small : places;
  const [node, i] = random.pick(from);
  if (typeof node === 'string') return;
  const other = () => {
    const donor = placesOf(random.chance(0.5) ? tree : random.pick(donors));
    return donor.length > 0 ? structuredClone(childAt(...random.pick(donor))) : 'null';
  };
  const set = (value: Tree) => {
    if ('list' in node) node.list[i] = value;
    else node.entries[i] = [node.entries[i][0], value];
  };
  const siblings: unknown[] = 'list' in node ? node.list : node.entries;
  const change = random.below(8);
  if (change < 3) set(random.pick(EXTREMES));
  else if (change === 3) set(other());
  else if (change === 4) siblings.splice(i, 1);
  else if (change === 5) siblings.splice(i, 0, structuredClone(siblings[random.below(siblings.length)]));
  else if (change === 6) {
    const j = random.below(siblings.length);
    [siblings[i], siblings[j]] = [siblings[j], siblings[i]];
  } else if ('list' in node) {
    const leaf = node.list[i];
    if (typeof leaf === 'string') set(nearby(leaf, random));
  } else {
    const [key, value] = node.entries[i];
    const isRenamed = typeof value !== 'string' || random.chance(0.5);
    const names = [`${key}x`, key.slice(1), '__proto__', '', random.pick(node.entries)[0]];
    node.entries[i] = isRenamed ? [random.pick(names), value] : [key, nearby(value, random)];
  }
}

/** A number or a string that is a little off. */
function nearby(leaf: Leaf, random: Random): Leaf {
  const value: unknown = JSON.parse(leaf);
  if (typeof value === 'number') return String(value + random.pick([-1, 1, 0.5, 1000]));
  if (typeof value !== 'string') return random.pick(EXTREMES);
  const at = random.below(value.length + 1);
  return JSON.stringify(
    value.slice(0, at) + random.pick(['', 'x', ' ', '\u0301', '(', '+', '\\', '{9}']) + value.slice(at + 1),
  );
}
