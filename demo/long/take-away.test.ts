import { expect, it } from 'vitest';
import type { Passage } from './passages';
import { sizeWithin } from './sizes';
import { pageOf } from './source';
import { cellsOf } from './strip';
import { longCode, stripSvg } from './take-away';

const passages = [12, 30].map((end, i): Passage => ({ start: i * 12, end, tokens: 5, sentences: [] }));
const choice = { name: 'org/model', source: 'org/model' };

it('code for one pass has the passages, and asks the question', () => {
  const code = longCode(choice, 'Why "now"?', passages, [{ from: 0, to: 2, ownFrom: 0, ownTo: 2, tokens: 10 }]);
  expect(code).toContain('const ends = [12, 30];');
  expect(code).toContain('chunks: passages');
  expect(code).toContain(String.raw`model.embed("Why \"now\"?", { kind: 'query'`);
  expect(code).not.toContain('windows');
});

it('code for several passes has the windows; before a text was read it divides one', () => {
  const windows = [
    { from: 0, to: 1, ownFrom: 0, ownTo: 1, tokens: 5 },
    { from: 1, to: 2, ownFrom: 1, ownTo: 2, tokens: 5 },
  ];
  expect(longCode(choice, '', passages, windows)).toContain('const windows = [[0,1,0,1],[1,2,1,2]];');
  expect(longCode(choice, '', [], [])).toContain('model.chunk(text, { maxTokens: 200 })');
});

it('draws the strip', () => {
  const svg = stripSvg(cellsOf([1, 3]), [0.25, 1], { surface: '#fff', heat: '#002a6b' });
  expect(svg).toContain('<rect y="0.00" width="80" height="200.00" fill="#002a6b" fill-opacity="0.250"/>');
  expect(svg).toContain('<rect y="200.00" width="80" height="600.00" fill="#002a6b" fill-opacity="1.000"/>');
});

it('finds the page of a character', () => {
  const text = { name: '', text: '', pages: [0, 100, 100, 250] };
  expect([0, 99, 100, 249, 250, 999].map((at) => pageOf(text, at))).toEqual([1, 1, 3, 3, 4, 4]);
  expect(pageOf({ name: '', text: '' }, 5)).toBeUndefined();
});

it('chooses as many tokens as there is patience for', () => {
  expect(sizeWithin(10, 8000, (tokens) => tokens / 200)).toBe(1024);
  expect(sizeWithin(10, 8000, (tokens) => tokens / 1000)).toBe(4096);
  expect(sizeWithin(10, 1500, (tokens) => tokens / 1000)).toBe(1024);
  expect(sizeWithin(10, 8000, () => 99)).toBe(512);
});
