/** A set of texts with a value each, by UTF-16 unit. */
export interface Trie<T> {
  next?: Map<number, Trie<T>>;
  value?: T;
}

/** The node of a text, made if there is none. */
export function nodeOf<T>(root: Trie<T>, text: string): Trie<T> {
  let node = root;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    node.next ??= new Map();
    let next = node.next.get(unit);
    if (next === undefined) {
      next = {};
      node.next.set(unit, next);
    }
    node = next;
  }
  return node;
}

/** The longest text of the trie that stands at `at`, at least one unit. */
export function longestAt<T>(root: Trie<T>, text: string, at: number): { value: T; end: number } | undefined {
  let match: { value: T; end: number } | undefined;
  let node = root.next?.get(text.charCodeAt(at));
  for (let end = at + 1; node !== undefined; end++) {
    if (node.value !== undefined) match = { value: node.value, end };
    node = node.next?.get(text.charCodeAt(end));
  }
  return match;
}
