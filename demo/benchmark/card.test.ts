import { expect, it } from 'vitest';
import { shortened, wrapped } from './card';

const width = (text: string) => text.length;

it('breaks lines between words', () => {
  expect(wrapped('Your GPU embeds 1,000 pages', 12, width)).toEqual(['Your GPU', 'embeds 1,000', 'pages']);
  expect(wrapped('incomprehensibly long', 5, width)).toEqual(['incomprehensibly', 'long']);
});

it('shortens what is too long', () => {
  expect(shortened('ANGLE (NVIDIA)', 14, width)).toBe('ANGLE (NVIDIA)');
  expect(shortened('ANGLE (NVIDIA)', 8, width)).toBe('ANGLE (…');
  expect(shortened('ANGLE (NVIDIA)', 7, width)).toBe('ANGLE…');
});
