/** What of the DOM is read here. */
export interface XmlNode {
  nodeType: number;
  /** Of an element, its name without a prefix. */
  localName?: string;
  textContent: string | null;
  childNodes: ArrayLike<XmlNode>;
}

/** What elements are in a format; those that are named, by their local names. */
export interface Format<Node extends XmlNode> {
  /** Whether an element is not the document's text: deletions, remarks, settings. */
  isSkipped(element: Node): boolean;
  /** The elements that hold all text. Without it every element may, and its spaces and line breaks are one space. */
  text?: ReadonlySet<string>;
  paragraph: ReadonlySet<string>;
  table: string;
  row: string;
  cell: string;
  /** Elements that stand for a character. */
  signs: ReadonlyMap<string, string>;
  /** 1 or more if a paragraph is a heading. */
  headingLevel(paragraph: Node): number | undefined;
  /** The note that an element is the place of. */
  note?(element: Node): Node | undefined;
}

/** Node.ELEMENT_NODE and Node.TEXT_NODE, of which Node.js has none. */
const [ELEMENT, TEXT] = [1, 3];
/** Levels of headings in Markdown. */
const DEEPEST = 6;

const inOneLine = (text: string) => text.replace(/\s+/g, ' ').trim();

/**
 * The text of a document: paragraphs apart by an empty line, headings as in Markdown, a line per row of a table with tabs between its cells, and the
 * notes after all, with the numbers that are at their places.
 */
export function xmlText<Node extends XmlNode>(root: Node, format: Format<Node>): string {
  const notes: string[] = [];
  const childrenOf = (node: Node) => Array.from(node.childNodes as ArrayLike<Node>);
  const contentOf = (node: Node): string => childrenOf(node).map(textOf).join('');
  /** Also those in wrappers, such as Word's content controls. */
  const cellsOf = (row: Node): Node[] =>
    childrenOf(row).flatMap((child) => (child.localName === format.cell ? child : cellsOf(child)));

  function textOf(node: Node): string {
    if (node.nodeType === TEXT) return format.text ? '' : (node.textContent ?? '').replace(/\s+/g, ' ');
    const name = node.localName ?? '';
    if (node.nodeType !== ELEMENT || format.isSkipped(node)) return '';
    const sign = format.signs.get(name);
    if (sign !== undefined) return sign;
    if (format.text?.has(name)) return node.textContent ?? '';
    const note = format.note?.(node);
    if (note) {
      const number = notes.push('');
      notes[number - 1] = `[${number}] ${inOneLine(contentOf(note))}`;
      return `[${number}]`;
    }
    if (name === format.table) return `\n\n${contentOf(node)}\n\n`;
    if (name === format.row) {
      return `${cellsOf(node)
        .map((cell) => inOneLine(contentOf(cell)))
        .join('\t')}\n`;
    }
    if (!format.paragraph.has(name)) return contentOf(node);
    const text = contentOf(node).trim();
    const level = text === '' ? undefined : format.headingLevel(node);
    return `\n\n${level === undefined ? text : heading(level, text)}\n\n`;
  }

  const text = textOf(root);
  return [text, ...notes]
    .join('\n\n')
    .replace(/[ \u00a0]*\n */g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

/** A heading as in Markdown, by which the page knows it. */
export const heading = (level: number, text: string): string =>
  `${'#'.repeat(Math.max(1, Math.min(level, DEEPEST)))} ${inOneLine(text)}`;
