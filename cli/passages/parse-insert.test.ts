import { expect, it } from 'vitest';
import { literal } from './dump';
import { insertStart, parseInsert, TABLES } from './parse-insert';

const [, documents, chunks] = TABLES;
const ID = '6e9e3c5b-0000-4000-8000-000000000000';

it('reads what the export writes, for all kinds of text', () => {
  const texts = [
    '',
    "'",
    "''",
    '\\',
    "\\'",
    "a'b\\c\nd\r\n",
    '\\n',
    "E'",
    "');",
    ', ',
    '鯨 🐋',
    'NULL',
    '$1',
    '\u2028',
    "x\\'",
  ];
  const rows = texts.map((text) => ({ id: ID, name: text, text: `${text}${text}` }));
  const written = rows.map((row) => `(${Object.values(row).map(literal).join(', ')})`).join(', ');
  expect(parseInsert(`${insertStart(documents)}${written};`)).toEqual({ table: documents, rows });
});

it('reads random texts back', () => {
  let state = 7;
  const random = (below: number) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
  for (let i = 0; i < 2000; i++) {
    const text = Array.from({ length: random(12) }, () => "'\\\n\rEnr(),;a "[random(12)]).join('');
    const line = `${insertStart(documents)}(${[ID, text, 'b'].map(literal).join(', ')});`;
    expect(parseInsert(line)?.rows).toEqual([{ id: ID, name: text, text: 'b' }]);
  }
});

it('reads integers and vectors that are not there', () => {
  expect(parseInsert(`${insertStart(chunks)}('${ID}', 0, -1, 2147483647, 5, 'x', NULL);`)?.rows).toEqual([
    { document: ID, position: 0, start_offset: -1, end_offset: 2147483647, tokens: 5, text: 'x', embedding: null },
  ]);
});

it('knows no other statement', () => {
  expect(parseInsert('DROP TABLE passages.documents;')).toBeUndefined();
  expect(parseInsert('INSERT INTO passages.documents (id) VALUES (1);')).toBeUndefined();
});

it.each([
  ["('a', 'b', 'c')", /expected ';' at character \d+, found the end of the line/],
  ["('a', 'b', 'c'); ", /expected the end of the line at character \d+, found ' '/],
  ["('a', 'b')", /expected ', ' at character \d+, found '\)'/],
  ["('a', 'b', 'c", /expected a quoted text for text at character \d+, found ''c'/],
  ["('a', 3, 'c');", /expected a quoted text for name at character \d+, found '3, 'c'\);'/],
  ["('a', E'\\u0041', 'c');", /expected a quoted text for name/],
  ["('a', 'b', (SELECT 1));", /expected a quoted text for text at character \d+, found '\(SELECT 1\)\);'/],
  ['', /expected '\(' at character \d+, found the end of the line/],
])('refuses %s', (values, message) => {
  expect(() => parseInsert(insertStart(documents) + values)).toThrow(message);
});
