import { expect, it } from 'vitest';
import { groupsOf } from './groups';

it('has a colour for each of ten files, or for the nine with most texts', () => {
  expect(groupsOf(['b', 'a', 'b'])).toEqual({ names: ['b', 'a'], of: Uint8Array.of(0, 1, 0) });
  const files = Array.from({ length: 12 }, (_, i) => `${i}.txt`);
  const { names, of } = groupsOf([...files, '11.txt']);
  expect(names).toEqual(['11.txt', ...files.slice(0, 8), '3 other files']);
  expect([of[7], of[8], of[12]]).toEqual([8, 9, 0]);
  const long = `a${'/b'.repeat(30)}/report.txt`;
  expect(groupsOf([long, 'x']).names[0]).toBe('a/b/b/b/b/b/b/b/b/b/…/b/b/b/b/report.txt');
});
