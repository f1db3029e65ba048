import { turns } from '../../src/turns';
import { lineWriter, marks, trim, type XmlNode } from './xml-text';

const words = (text: string) => new Set(text.split(' '));
/** Elements whose contents are no text of the page. */
const NO_TEXT = words('script style noscript template svg iframe object canvas video audio select head');
/** Elements that begin and end a line. */
const BLOCKS = words(
  'address article aside blockquote dd details div dl dt figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section summary table tr ul',
);
/** Elements that hold no text but in cells. */
const BETWEEN_CELLS = words('table thead tbody tfoot tr');
/** Elements whose spaces and line breaks count. */
const AS_IT_IS = words('pre textarea');

/** Node.ELEMENT_NODE, Node.TEXT_NODE and Node.CDATA_SECTION_NODE, of which Node.js has none. */
const [ELEMENT, TEXT, CDATA] = [1, 3, 4];
/** Nodes after which the time is looked at. */
const OFTEN = 2000;

/** A node that is still to be written, or what ends an element. */
type Step = { node: XmlNode; parent: string; asItIs: boolean } | (() => void);

/**
 * The text of a page's elements: paragraphs apart by an empty line, headings as in Markdown, spaces and line breaks of the source as one space.
 * Its time is linear. Now and then it lets the page answer; rejects with the reason of `signal`.
 */
export async function pageText(root: XmlNode, signal?: AbortSignal): Promise<string> {
  const out: string[] = [];
  const line = lineWriter(out);
  const steps: Step[] = [{ node: root, parent: '', asItIs: false }];
  const pause = turns(signal);
  const end = (text: string) => steps.push(() => out.push(text));

  function writeElement(node: XmlNode, asItIs: boolean) {
    const name = node.localName ?? '';
    if (NO_TEXT.has(name)) return;
    if (name === 'br') return void out.push('\n');
    if (BLOCKS.has(name)) {
      out.push('\n\n');
      end('\n\n');
    }
    if (name === 'td' || name === 'th') end(' ');
    if (/^h[1-6]$/.test(name)) {
      line.begin();
      const start = out.length;
      steps.push(() => {
        if (trim(out, start)) out[start] = `${marks(Number(name[1]))} ${out[start]}`;
        line.end();
      });
    }
    const isAsItIs = asItIs || AS_IT_IS.has(name);
    for (const child of Array.from(node.childNodes).reverse()) {
      steps.push({ node: child, parent: name, asItIs: isAsItIs });
    }
  }

  let count = 0;
  for (let step = steps.pop(); step; step = steps.pop()) {
    if (++count % OFTEN === 0) await pause();
    if (typeof step === 'function') step();
    else if (step.node.nodeType === ELEMENT) writeElement(step.node, step.asItIs);
    else if ([TEXT, CDATA].includes(step.node.nodeType) && !BETWEEN_CELLS.has(step.parent)) {
      const text = step.node.textContent ?? '';
      out.push(step.asItIs ? text : text.replace(/\s+/g, ' '));
    }
  }
  return out
    .join('')
    .replace(/(?<![^\S\n])[^\S\n]+\n/g, '\n')
    .replace(/\n[^\S\n]+/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}
