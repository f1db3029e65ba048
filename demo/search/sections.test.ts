import { expect, it } from 'vitest';
import { sectionsOf } from './sections';

const placesOf = (text: string, pages?: number[]) => {
  const sections = sectionsOf({ name: 'a.txt', text, ...(pages && { pages }) });
  // Nothing is lost between them.
  expect(sections.map(({ text }) => text).join('')).toBe(text);
  for (const { text: own, metadata } of sections) {
    expect(metadata?.file).toBe('a.txt');
    expect(text.startsWith(own, metadata?.start)).toBe(true);
    expect(own.trim()).not.toBe('');
  }
  expect(sections.map(({ id }) => id)).toEqual(sections.map((_, i) => `a.txt#${i}`));
  return sections.map(({ metadata }) => metadata?.place);
};
const paragraph = (characters: number) => 'word '.repeat(characters / 5).trim();

it('a short text is one section, named by its first heading', () => {
  expect(placesOf('One line.')).toEqual(['']);
  expect(placesOf('\n\n# Title\n\nOne line.\n')).toEqual(['Title']);
});

it('a long text is cut at paragraphs, and before where a heading begins', () => {
  expect(placesOf([paragraph(3000), paragraph(3000), paragraph(3000)].join('\n\n'))).toEqual(['', '']);
  const text = ['# One', paragraph(3000), '## Two ##', paragraph(9000), paragraph(100), '# Three', 'end'].join('\n\n');
  expect(placesOf(text)).toEqual(['One', 'Two', 'Two']);
  expect(placesOf(paragraph(20_000))).toEqual(['']); // no paragraph is divided
});

it('pages are sections; empty ones go with their neighbours', () => {
  expect(placesOf('first\n\n\n\nthird\n\n', [0, 7, 9])).toEqual(['page 1', 'page 3']);
  expect(placesOf('\n\nsecond', [0, 2])).toEqual(['page 2']);
});
