// These functions run in the page that is searched. What `read` keeps in `globalThis`, the others find there.

/** The texts of the page's paragraphs, headings, list items and so on; what cannot be seen and what is very short is left out. */
export function read() {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const nodesOf = new Map();
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (!node.parentElement.checkVisibility()) continue;
    let block = node.parentElement;
    while (getComputedStyle(block).display.startsWith('inline')) block = block.parentElement;
    nodesOf.set(block, [...(nodesOf.get(block) ?? []), node]);
  }
  const textOf = (nodes) => nodes.map(({ data }) => data).join('');
  globalThis.blocks = [...nodesOf.values()].filter((nodes) => textOf(nodes).trim().length > 20);
  return globalThis.blocks.map(textOf);
}

/** Marks parts of these texts in the page: `{ block, start, end }`. */
export function mark(parts) {
  globalThis.ranges = parts.map(({ block, start, end }) => {
    const range = new Range();
    let before = 0;
    for (const node of globalThis.blocks[block]) {
      const after = before + node.length;
      if (before <= start && start < after) range.setStart(node, start - before);
      if (before < end && end <= after) range.setEnd(node, end - before);
      before = after;
    }
    return range;
  });
  CSS.highlights.set('found-by-meaning', new Highlight(...globalThis.ranges));
}

/** Scrolls to the mark of that number. */
export function show(i) {
  globalThis.ranges[i]?.startContainer.parentElement.scrollIntoView({ block: 'center', behavior: 'smooth' });
}
