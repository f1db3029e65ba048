import { expect, it } from 'vitest';
import { baseName, folderClasses, folderName, freeName } from './folders';

it('takes the first folders that differ as classes', () => {
  const classes = folderClasses([
    'all/old/bills/a.pdf',
    'all/old/bills/2024/b.pdf',
    'all/old/letters/a.pdf',
    'all/old/c.txt',
  ]);
  expect([...(classes ?? [])]).toEqual([
    ['all/old/bills/a.pdf', 'bills'],
    ['all/old/bills/2024/b.pdf', 'bills'],
    ['all/old/letters/a.pdf', 'letters'],
  ]);
  expect(folderClasses(['bills/a.pdf', 'letters/b.pdf'])?.get('letters/b.pdf')).toBe('letters');
});

it('finds no classes where there is one folder or none', () => {
  expect(folderClasses(['a.txt', 'b.txt'])).toBeUndefined();
  expect(folderClasses(['in/a.txt', 'in/b.txt'])).toBeUndefined();
  expect(folderClasses(['in/a.txt', 'in/x/b.txt'])).toBeUndefined();
  expect(folderClasses([])).toBeUndefined();
});

it('makes names that every system takes', () => {
  expect(baseName('a/b/c.txt')).toBe('c.txt');
  expect(folderName('in/out: "x"?')).toBe('in_out_ _x__');
  expect(folderName('..')).toBe('_');
  expect(folderName('CON')).toBe('_CON');
  expect(folderName('Rechnung für März. ')).toBe('Rechnung für März');
});

it('finds a name that is free', () => {
  const taken = new Set(['bill.pdf', 'bill (2).pdf', 'notes']);
  expect(freeName('Bill.pdf', taken)).toBe('Bill (3).pdf');
  expect(freeName('notes', taken)).toBe('notes (2)');
  expect(freeName('bill.tar.gz', new Set(['bill.tar.gz']))).toBe('bill.tar (2).gz');
  expect(freeName('.htaccess', new Set(['.htaccess']))).toBe('.htaccess (2)');
  expect(freeName('new.txt', taken)).toBe('new.txt');
});
