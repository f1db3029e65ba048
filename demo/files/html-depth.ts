/** The browser's parser takes time by the square of how many elements are in each other; pages have a few dozen. */
const DEEPEST = 2000;
/** Elements that have no end tag, may leave it out, or only change how text looks: they do not come to be in each other without end. */
const UNCOUNTED = new Set(
  `area base basefont bgsound br col embed frame hr img input link meta param source track wbr
  html head body p li dt dd td th tr tbody thead tfoot colgroup option optgroup rp rt
  a b big code em font i nobr s small strike strong tt u`.split(/\s+/),
);

/** Throws a RangeError in words if the elements of a page are so deep in each other that reading it would take very long. */
export function checkDepth(name: string, source: string): void {
  const tags = /<(\/?)([a-z][\w-]*)[^<>]*?(\/?)>/gi;
  let depth = 0;
  for (let match = tags.exec(source); match; match = tags.exec(source)) {
    const [, isEnd, written, isEmpty] = match;
    const tag = written.toLowerCase();
    if (isEmpty || UNCOUNTED.has(tag)) continue;
    depth = isEnd ? Math.max(0, depth - 1) : depth + 1;
    if (depth > DEEPEST) {
      throw new RangeError(
        `${name} has more than 2,000 elements of HTML in each other, the most that is read. Open it in a browser and copy its text.`,
      );
    }
    if (isEnd || (tag !== 'script' && tag !== 'style')) continue;
    // What is in there is no markup.
    const end = new RegExp(`</${tag}`, 'gi');
    end.lastIndex = tags.lastIndex;
    const found = end.exec(source);
    if (!found) return;
    tags.lastIndex = found.index;
  }
}
