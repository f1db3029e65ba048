import { expect, it } from 'vitest';
import { asTable, guessColumns, parseRows, toExamples } from './csv';

it('finds the columns of a file with names', () => {
  const rows = parseRows(
    'a.csv',
    '\ufeffid,text,label\n1,"A ship, at sea",travel\n2,"He said ""no""\nand left",talk\n\n3,x,talk\n',
  );
  expect(guessColumns(rows)).toEqual({ hasHeader: true, text: 1, label: 2 });
  const table = asTable(rows, true);
  expect(table.columns).toEqual(['id', 'text', 'label']);
  expect(toExamples(table, 1, 2)).toEqual({
    examples: [
      { text: 'A ship, at sea', label: 'travel' },
      { text: 'He said "no" and left', label: 'talk' },
      { text: 'x', label: 'talk' },
    ],
    left: 0,
  });
});

it('finds the columns of a file without names, of any delimiter', () => {
  const rows = parseRows('a.tsv', 'good\tA fine day for all\nbad\tIt rains once more\ngood\tThe sun is out again\n');
  expect(guessColumns(rows)).toEqual({ hasHeader: false, text: 1, label: 0 });
  expect(asTable(rows, false).columns).toEqual(['Column 1', 'Column 2']);
});

it('counts rows that lack something', () => {
  const table = { columns: ['text', 'label'], rows: [['a', 'x'], ['', 'x'], ['b'], [' c ', ' y ']] };
  expect(toExamples(table, 0, 1)).toEqual({
    examples: [
      { text: 'a', label: 'x' },
      { text: 'c', label: 'y' },
    ],
    left: 2,
  });
});

it('says what is wrong with a file', () => {
  expect(() => parseRows('a.csv', '')).toThrow('a.csv has no rows');
  expect(() => parseRows('a.csv', 'one\ntwo\n')).toThrow('a.csv has one column');
  expect(() => parseRows('a.csv', 'a,b\n"x,y\n')).toThrow('a.csv has a broken quote in row 2');
});
