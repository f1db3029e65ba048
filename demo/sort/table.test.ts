import { expect, it } from 'vitest';
import { classOf, csvOf } from './table';

const labels = new Map([['1', 'bill']]);
const scores = new Map([
  ['1', [{ label: 'letter', score: 0.9 }]],
  ['2', [{ label: 'letter, "formal"', score: 0.98765 }]],
]);

it('prefers a label to a guess', () => {
  expect(classOf('1', labels, scores)).toEqual({ label: 'bill', by: 'you' });
  expect(classOf('2', labels, scores)).toEqual({ label: 'letter, "formal"', score: 0.98765, by: 'guess' });
  expect(classOf('3', labels, scores)).toBeUndefined();
});

it('writes a table that spreadsheets read as it is', async () => {
  const documents = [
    { hash: '1', names: ['a, b.txt', 'copy\nof a.txt'], text: '' },
    { hash: '2', names: ['=1+1.txt'], text: '' },
    { hash: '3', names: ['Ümlaut.txt'], text: '' },
  ];
  expect(await csvOf(documents, labels, scores)).toBe(
    [
      '\ufefffile,class,confidence,labelled by',
      '"a, b.txt",bill,,you',
      '"copy\nof a.txt",bill,,you',
      `"'=1+1.txt","letter, ""formal""",0.988,guess`,
      'Ümlaut.txt,,,',
      '',
    ].join('\r\n'),
  );
});
