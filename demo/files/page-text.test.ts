import { expect, it } from 'vitest';
import { pageText } from './page-text';
import type { XmlNode } from './xml-text';

const text = (textContent: string): XmlNode => ({ nodeType: 3, textContent, childNodes: [] });
const element = (localName: string, ...children: (XmlNode | string)[]): XmlNode => ({
  nodeType: 1,
  localName,
  textContent: null,
  childNodes: children.map((child) => (typeof child === 'string' ? text(child) : child)),
});

it('sets blocks and headings apart, and leaves out what is no text', async () => {
  const page = element(
    'html',
    element('head', element('title', 'no')),
    element(
      'body',
      element('h2', ' Pilots\n', element('i', 'and '), element('br'), element('script', 'no'), 'tugs'),
      '\n  ',
      element('p', ' One\n text', element('br'), ' two'),
      element('div', element('div', 'three')),
      element('h1', ' '),
      element('pre', 'a\n  b\n'),
      { nodeType: 8, textContent: 'no', childNodes: [] },
    ),
  );
  expect(await pageText(page)).toBe('## Pilots and tugs\n\nOne text\ntwo\n\nthree\n\na\nb');
});

it('reads tables by rows', async () => {
  const row = (...cells: string[]) => element('tr', '\n', ...cells.map((cell) => element('td', cell)));
  const table = element('table', ' x ', element('tbody', row('Ship', 'Fee'), row('Barge', '40')));
  expect(await pageText(element('body', 'Before', table, 'after'))).toBe('Before\n\nShip Fee\n\nBarge 40\n\nafter');
});

it('reads elements that are deep in each other and long runs of spaces, and can be stopped', async () => {
  let page: XmlNode = text(`deep${' '.repeat(100_000)}`);
  for (let i = 0; i < 100_000; i++)
    page = { nodeType: 1, localName: 'pre', textContent: null, childNodes: [page, text('!')] };
  const began = performance.now();
  expect((await pageText(page)).startsWith('deep')).toBe(true);
  expect(performance.now() - began).toBeLessThan(3000);
  await expect(pageText(page, AbortSignal.abort())).rejects.toThrow('aborted');
});
