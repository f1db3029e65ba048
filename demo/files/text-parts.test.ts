import { expect, it } from 'vitest';
import { createTextParts } from './text-parts';

it('joins parts, and knows where each begins', () => {
  const parts = createTextParts('a.pdf');
  for (const text of ['one', '', 'three', '']) parts.add(text);
  expect(parts.text()).toBe('one\n\n\n\nthree');
  expect(parts.starts).toEqual([0, 5, 7, 14]);
});

it('refuses more than can be read', () => {
  const parts = createTextParts('a.pdf', 2e6);
  parts.add('x'.repeat(1e6));
  parts.add('x'.repeat(1e6 - 2));
  expect(() => parts.add('x')).toThrow('a.pdf holds more than 2 million characters of text, the most that is read.');
  expect(() => createTextParts('a.pdf').add({ length: 65e6 } as string)).toThrow('more than 64 million characters');
});
