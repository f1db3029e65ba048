import { inOneLine, lineWriter, marks } from './xml-text';

/** Elements whose contents are no text of the page. */
const NO_TEXT = 'script, style, noscript, template, svg, iframe, object, canvas, video, audio, select, head';
/** Elements that begin and end a line. */
const BLOCKS =
  'address, article, aside, blockquote, dd, details, div, dl, dt, figcaption, figure, footer, form, h1, h2, h3, h4, h5, h6, header, hr, li, main, nav, ol, p, pre, section, summary, table, tr, ul';

/** Elements that hold no text but in cells. */
const BETWEEN_CELLS = 'table, thead, tbody, tfoot, tr';

/**
 * What a reader would see of a page: paragraphs apart by an empty line, headings as in Markdown, spaces and line breaks of the source as one space.
 * `isXhtml`: as XHTML, if it is well-formed, in which every element may be `<empty/>`.
 */
export function htmlText(source: string, { isXhtml = false } = {}): string {
  const page = (isXhtml && xhtmlPage(source)) || new DOMParser().parseFromString(source, 'text/html');
  for (const part of page.querySelectorAll(NO_TEXT)) part.remove();
  const texts = page.createTreeWalker(page.documentElement, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode as Text;
    if (node.parentElement?.matches(BETWEEN_CELLS)) node.data = '';
    else if (!node.parentElement?.closest('pre, textarea')) node.data = node.data.replace(/\s+/g, ' ');
  }
  for (const line of page.querySelectorAll('br')) line.replaceWith('\n');
  for (const title of page.querySelectorAll('h1, h2, h3, h4, h5, h6')) {
    const text = title.textContent.trim();
    if (text !== '') title.textContent = heading(Number(title.localName[1]), text);
  }
  for (const cell of page.querySelectorAll('td, th')) cell.append(' ');
  for (const block of page.querySelectorAll(BLOCKS)) {
    block.prepend('\n\n');
    block.append('\n\n');
  }
  return page.documentElement.textContent
    .replace(/[^\S\n]*\n[^\S\n]*/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

/** Undefined if it is not well-formed or declares entities, which can stand for very long texts. */
function xhtmlPage(source: string): Document | undefined {
  if (/<!ENTITY/i.test(source)) return undefined;
  const page = new DOMParser().parseFromString(source, 'application/xhtml+xml');
  return page.getElementsByTagName('parsererror').length > 0 ? undefined : page;
}
