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

/** A row of a table: how many of its cells have been written. */
interface Row {
  cells: number;
}
/** What is still to be written: a node, within a row but outside of its cells if it has `row`; or what ends an element. */
type Step<Node> = { node: Node; row?: Row } | (() => void);

/**
 * The text of a document: paragraphs apart by an empty line, headings as in Markdown, a line per row of a table with tabs between its cells, and the
 * notes after all, each once, with the numbers that are at their places. Time and memory are linear, however deep elements are in each other.
 */
export function xmlText<Node extends XmlNode>(root: Node, format: Format<Node>): string {
  const notes = new Map<Node, number>();
  const parts = [written([root], format, notes)];
  // Notes that are found in notes come to the end of this list, and are written too.
  for (const [note, number] of notes) parts.push(`[${number}] ${inOneLine(written(childrenOf(note), format, notes))}`);
  return parts
    .join('\n\n')
    .replace(/(?<![ \u00a0])[ \u00a0]+\n/g, '\n')
    .replace(/\n +/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

const childrenOf = <Node extends XmlNode>(node: Node) => Array.from(node.childNodes as ArrayLike<Node>);

/** The text of some nodes; `notes` gets those that it refers to. Without recursion: files may nest elements deeper than the stack is. */
function written<Node extends XmlNode>(nodes: Node[], format: Format<Node>, notes: Map<Node, number>): string {
  const out: string[] = [];
  const steps: Step<Node>[] = [];
  const addSteps = (children: Node[], row?: Row) => {
    for (const node of children.toReversed()) steps.push({ node, row });
  };
  const oneLine = lineWriter(out);

  function write(node: Node) {
    if (node.nodeType === TEXT) {
      if (!format.text) out.push((node.textContent ?? '').replace(/\s+/g, ' '));
      return;
    }
    const name = node.localName ?? '';
    if (node.nodeType !== ELEMENT || format.isSkipped(node)) return;
    const sign = format.signs.get(name);
    const note = format.note?.(node);
    if (sign !== undefined) out.push(sign);
    else if (format.text?.has(name)) out.push(node.textContent ?? '');
    else if (note) {
      if (!notes.has(note)) notes.set(note, notes.size + 1);
      out.push(`[${notes.get(note)}]`);
    } else if (name === format.table) {
      out.push('\n\n');
      steps.push(() => out.push('\n\n'));
      addSteps(childrenOf(node));
    } else if (name === format.row) {
      steps.push(() => out.push('\n'));
      addSteps(childrenOf(node), { cells: 0 });
    } else if (format.paragraph.has(name)) writeParagraph(node);
    else addSteps(childrenOf(node));
  }

  function writeParagraph(node: Node) {
    const level = format.headingLevel(node);
    const isHeading = level !== undefined;
    out.push('\n\n');
    if (isHeading) oneLine.begin();
    const start = out.length;
    steps.push(() => {
      const hasText = trim(out, start);
      if (isHeading && hasText) out[start] = `${marks(level)} ${out[start]}`;
      if (isHeading) oneLine.end();
      out.push('\n\n');
    });
    addSteps(childrenOf(node));
  }

  /** Cells may be in wrappers, such as Word's content controls. */
  function writeCell(node: Node, row: Row) {
    if (node.localName !== format.cell) return addSteps(childrenOf(node), row);
    if (row.cells++ > 0) out.push('\t');
    oneLine.begin();
    steps.push(oneLine.end);
    addSteps(childrenOf(node));
  }

  addSteps(nodes);
  for (let step = steps.pop(); step; step = steps.pop()) {
    if (typeof step === 'function') step();
    else if (step.row) writeCell(step.node, step.row);
    else write(step.node);
  }
  return out.join('');
}

/** Makes one line of what comes into a list between `begin` and `end`. Such a part within another is made one with that. */
export function lineWriter(out: string[]): { begin(): void; end(): void } {
  let depth = 0;
  let start = 0;
  return {
    begin() {
      if (depth++ === 0) start = out.length;
    },
    end() {
      if (--depth === 0) out.push(inOneLine(out.splice(start).join('')));
    },
  };
}

/** Takes white space from both ends of what a list has from `start` on. False if nothing else was there. */
export function trim(out: string[], start: number): boolean {
  while (out.length > start && out[out.length - 1].trim() === '') out.pop();
  if (out.length === start) return false;
  out.push((out.pop() ?? '').trimEnd());
  let first = start;
  while (out[first].trim() === '') out[first++] = '';
  out[first] = out[first].trimStart();
  return true;
}

/** A heading's, as in Markdown. */
export const marks = (level: number): string => '#'.repeat(Math.max(1, Math.min(level, DEEPEST)));

export const inOneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();
