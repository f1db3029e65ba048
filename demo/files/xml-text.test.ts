import { expect, it } from 'vitest';
import { type Format, marks, type XmlNode, xmlText } from './xml-text';

interface Element extends XmlNode {
  attributes: Record<string, string>;
}
const text = (textContent: string): XmlNode => ({ nodeType: 3, textContent, childNodes: [] });
function element(localName: string, ...children: (XmlNode | string)[]): Element {
  const childNodes = children.map((child) => (typeof child === 'string' ? text(child) : child));
  const textContent = childNodes.map((node) => node.textContent ?? '').join('');
  return { nodeType: 1, localName, textContent, childNodes, attributes: {} };
}
const withAttributes = (attributes: Record<string, string>, made: Element): Element => ({ ...made, attributes });

const format: Format<Element> = {
  isSkipped: ({ localName }) => localName === 'deleted',
  paragraph: new Set(['p', 'h']),
  table: 'table',
  row: 'row',
  cell: 'cell',
  signs: new Map([
    ['tab', '\t'],
    ['break', '\n'],
  ]),
  headingLevel: ({ localName, attributes }) => (localName === 'h' ? Number(attributes.level ?? 1) : undefined),
  note: ({ localName, childNodes }) => (localName === 'note' ? (childNodes[0] as Element) : undefined),
};

it('sets paragraphs apart, and headings as in Markdown', () => {
  const body = element(
    'body',
    '\n ',
    element('h', 'Pilots\n  and ', element('span', 'tugs')),
    element('p', ' One ', element('b', 'text'), '\n in lines. '),
    element('p', ' '),
    element('p', 'a', element('tab'), 'b', element('break'), 'c'),
    withAttributes({ level: '9' }, element('h', 'Deep')),
    withAttributes({ level: '2' }, element('h', '  ')),
  );
  expect(xmlText(body, format)).toBe('# Pilots and tugs\n\nOne text in lines.\n\na\tb\nc\n\n###### Deep');
  expect([0, 2, 9].map(marks)).toEqual(['#', '##', '######']);
});

it('takes text only from the elements that hold it, as it is', () => {
  const body = element(
    'body',
    'x',
    element('p', 'x', element('t', ' a  b'), element('constructor', 'x'), element('t', '!')),
  );
  expect(xmlText(body, { ...format, text: new Set(['t']) })).toBe('a  b!');
});

it('leaves out what is deleted', () => {
  expect(xmlText(element('p', 'a', element('deleted', element('p', 'b')), 'c'), format)).toBe('ac');
});

it('reads tables by rows, also cells in wrappers, and tables in cells', () => {
  const cell = (...children: (XmlNode | string)[]) => element('cell', ...children);
  const inner = element('table', element('row', cell(element('p', 'x')), cell(element('p', 'y'))));
  const table = element(
    'table',
    element('row', cell(element('p', 'Ship'), element('p', 'type')), element('wrapper', cell(element('p', 'Fee')))),
    element('row', cell(element('p', '')), cell(inner)),
  );
  expect(xmlText(element('body', element('p', 'Before.'), table, element('p', 'After.')), format)).toBe(
    'Before.\n\nShip type\tFee\n\tx y\n\nAfter.',
  );
});

it('puts notes after the text, by their numbers', () => {
  const note = (words: string) => element('note', element('body', element('p', words)));
  const body = element('body', element('p', 'a', note('first'), ' b', note('second'), '.'), element('p', 'c'));
  expect(xmlText(body, format)).toBe('a[1] b[2].\n\nc\n\n[1] first\n\n[2] second');
});

it('writes a note once, with its notes after it, also if they refer to each other', () => {
  const LEVELS = 30; // that would be a billion notes if each place had its own
  const places = (id: number) => [id + 1, id + 1].map((to) => withAttributes({ to: `${to}` }, element('note')));
  const notes = Array.from({ length: LEVELS }, (_, id) => element('body', element('p', `n${id}`, ...places(id))));
  const linked: Format<Element> = { ...format, note: ({ attributes }) => notes[Number(attributes.to) % LEVELS] };
  const lines = xmlText(element('p', 'a', ...places(0)), linked).split('\n\n');
  expect(lines.length).toBe(1 + LEVELS);
  expect(lines.slice(0, 3)).toEqual(['a[1][1]', '[1] n1[2][2]', '[2] n2[3][3]']);
  expect(lines.at(-1)).toBe('[30] n0[1][1]');
});

it('reads elements that are 5,000 deep in each other, the most that browsers parse', () => {
  const nested = (names: string[], levels: number, inner: XmlNode) => {
    let made = inner;
    for (let i = 0; i < levels; i++) for (const localName of names) made = wrapped(localName, made);
    return made as Element;
  };
  // `element` would write the text of all levels anew.
  const wrapped = (localName: string, ...childNodes: XmlNode[]): XmlNode => ({
    ...{ nodeType: 1, localName, textContent: null, childNodes, attributes: {} },
  });
  expect(xmlText(nested(['span'], 5000, text('deep words')), format)).toBe('deep words');
  expect(xmlText(nested(['p', 'cell', 'row', 'table'], 1250, text(' a cell ')), format)).toBe('a cell');
  expect(xmlText(nested(['wrapper'], 5000, element('row', wrapped('w', element('cell', 'b')))), format)).toBe('b');
  expect(xmlText(nested(['h'], 20, text(' title ')), format)).toBe(`${'# '.repeat(20)}title`);
});

it('is quick with long runs of spaces', () => {
  const spaces = ' '.repeat(200_000);
  const held = { ...format, text: new Set(['t']) };
  const began = performance.now();
  expect(xmlText(element('p', element('t', `a${spaces}b`)), held).length).toBe(200_002);
  expect(performance.now() - began).toBeLessThan(2000);
});
