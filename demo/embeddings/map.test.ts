import { expect, it } from 'vitest';
import { domains, legendOf } from './map';

it('gives both axes the same scale, around the points', () => {
  const points = [
    [0, 10],
    [4, 11],
    [2, 10.5],
  ];
  expect(domains(points, 400, 200)).toEqual([
    [0, 4],
    [9.5, 11.5],
  ]);
  expect(domains(points, 100, 10)).toEqual([
    [-3, 7],
    [10, 11],
  ]);
  expect(domains([[1, 1]], 2, 4)).toEqual([
    [0, 2],
    [-1, 3],
  ]);
});

it('has a colour for each of ten files, or for the nine with most texts', () => {
  expect(legendOf(['b', 'a', 'b'])).toEqual({ names: ['b', 'a'], of: ['b', 'a', 'b'] });
  const files = Array.from({ length: 12 }, (_, i) => `${i}.txt`);
  const { names, of } = legendOf([...files, '11.txt']);
  expect(names).toEqual(['11.txt', ...files.slice(0, 8), '3 other files']);
  expect([of[7], of[8], of[12]]).toEqual(['7.txt', '3 other files', '11.txt']);
  const long = `a${'/b'.repeat(30)}/report.txt`;
  expect(legendOf([long, 'x']).names[0]).toBe('a/b/b/b/b/b/b/b/b/b/…/b/b/b/b/report.txt');
});
