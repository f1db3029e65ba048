import { strToU8, zipSync } from 'fflate';
import { expect, it } from 'vitest';
import { openParts, partAt } from './zip-parts';

it('follows paths from one part to another', () => {
  expect(partAt('', 'word/document.xml')).toBe('word/document.xml');
  expect(partAt('OEBPS/book.opf', 'text/first%20one.xhtml#top')).toBe('OEBPS/text/first one.xhtml');
  expect(partAt('ppt/slides/50% #1.xml', '../media/a.png')).toBe('ppt/media/a.png');
  expect(partAt('ppt/presentation.xml', '/ppt/slides/slide1.xml')).toBe('ppt/slides/slide1.xml');
  expect(partAt('a.xml', '%')).toBe('');
});

it('refuses XML that declares entities, and parts that are not there', async () => {
  const xml = '<!DOCTYPE a [<!ENTITY b "bbb">]><a>&b;</a>';
  const zip = new Uint8Array(zipSync({ 'a.xml': strToU8(xml), 'b.txt': strToU8('b') }));
  const parts = await openParts('a.docx', zip, /\.xml$/);
  expect([parts.has('a.xml'), parts.has('b.txt')]).toEqual([true, false]);
  expect(parts.text('a.xml')).toBe(xml);
  expect(() => parts.xml('a.xml')).toThrow('a.docx is damaged');
  expect(() => parts.text('c.xml')).toThrow('a.docx is damaged');
});
