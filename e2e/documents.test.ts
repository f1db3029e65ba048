import { readFile } from 'node:fs/promises';
import { strToU8, unzipSync, zipSync } from 'fflate';
import type { Page } from 'playwright';
import { expect, it } from 'vitest';
import { longTasks, textOf, useDemo, waitForText, watchLongTasks } from './demo-page';
import { takePictures } from './pictures';

const open = useDemo();

const fixture = async (name: string, as = name) => ({
  name: as,
  mimeType: '',
  buffer: await readFile(new URL(`../demo/files/fixtures/${name}`, import.meta.url)),
});
const PILOT = 'The pilot brings every ship of more than ninety metres into the harbour.';
const FEES = 'Ship\tFee\nBarge\t40\nFreighter\t310';
const TEXTS = {
  'port.docx': `# Rules of the port\n\n# Pilots\n\n${PILOT} Tugs help.[1]\n\n## Fees\n\n${FEES}\n\nPaid in\tadvance.\n\n[1] By day and by night.`,
  'port.epub': `# Pilots\n\n${PILOT}\nTugs help.\n\n# Fees\n\nShip Fee\n\nBarge 40\n\nFreighter 310`,
  'port.odt': `# Rules of the port\n\n# Pilots\n\n${PILOT}  Tugs help.[1]\n\n## Fees\n\n${FEES}\n\nPaid in\tadvance.\n\n[1] By day and by night.`,
  'port.pptx': `# Rules of the port\n\n${PILOT}\n\n# Fees\n\n${FEES}`,
};

async function textsOf(page: Page, names: string[]): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of names) {
    const row = page.locator('.doc', { hasText: name });
    await row.locator('summary').click();
    found[name] = (await row.locator('.doc-text').textContent()) ?? '';
  }
  return found;
}

it('reads documents of Word, PowerPoint and OpenDocument, and books in EPUB', async () => {
  const page = await open({ path: '#sort' });
  const files = await Promise.all(Object.keys(TEXTS).map((name) => fixture(name)));
  await page.setInputFiles('#sort-drop input[multiple]', files);
  await waitForText(page, '#sort-facts', '4 files');
  expect(await textsOf(page, Object.keys(TEXTS))).toEqual(TEXTS);
  await takePictures(page, 'documents', '#sort');
});

it('says in words why a document cannot be read, and reads the others', async () => {
  const page = await open({ path: '#sort' });
  const { buffer } = await fixture('port.docx');
  const broken = Buffer.from(buffer);
  broken.fill(0xff, 2000, 20_000);
  const old = Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, ...new Array(504).fill(0)]);
  await page.setInputFiles('#sort-drop input[multiple]', [
    await fixture('locked.docx'),
    { name: 'broken.docx', mimeType: '', buffer: broken },
    { name: 'cut.docx', mimeType: '', buffer: buffer.subarray(0, 3000) },
    { name: 'old.docx', mimeType: '', buffer: old },
    { name: 'old.doc', mimeType: '', buffer: old },
    { name: 'empty.docx', mimeType: '', buffer: Buffer.alloc(0) },
    await fixture('port.odt', 'odt.epub'),
    await fixture('port.pptx'),
  ]);
  await waitForText(page, '#sort-facts', '1 file');
  const damaged = 'is damaged or not what its name says. Open it in the program that wrote it and save it again.';
  await waitForText(page, '#sort-problems', /And 2 more files could not be read/);
  expect((await textOf(page, '#sort-problems')).split('\n').slice(0, 5)).toEqual([
    'old.doc is in an older format. Open it in the program that wrote it and save it as .docx.',
    `broken.docx ${damaged}`,
    `cut.docx ${damaged}`,
    'empty.docx is empty.',
    'locked.docx is locked with a password. Save a copy without one and give that.',
  ]);
});

it('says that a document is locked or protected', async () => {
  const page = await open({ path: '#sort' });
  const withPart = async (name: string, part: string, xml: string) => {
    const { buffer } = await fixture(name);
    return { name, mimeType: '', buffer: Buffer.from(zipSync({ ...unzipSync(buffer), [part]: strToU8(xml) })) };
  };
  const cipher = '<enc><EncryptedData><CipherReference URI="EPUB/text/first%20one.xhtml"/></EncryptedData></enc>';
  await page.setInputFiles('#sort-drop input[multiple]', [
    await withPart('port.epub', 'META-INF/encryption.xml', cipher),
    await withPart(
      'port.odt',
      'META-INF/manifest.xml',
      '<manifest><file-entry><encryption-data/></file-entry></manifest>',
    ),
  ]);
  await waitForText(page, '#sort-problems', /port\.odt/);
  expect((await textOf(page, '#sort-problems')).split('\n')).toEqual([
    'port.epub is protected against copying (DRM): only the reader that it was bought for can open it.',
    'port.odt is locked with a password. Save a copy without one and give that.',
  ]);
});

it('finds the chapter of a book and the slide of a talk', async () => {
  const page = await open({ path: '#search?in=own' });
  await page.setInputFiles('#drop input[multiple]', [await fixture('port.epub'), await fixture('port.pptx')]);
  await waitForText(page, '#index-facts', /^2 files, \d+ passages\./);
  await page.fill('#query', 'freighter fee');
  const places = () => page.locator('#passages h3').allInnerTexts();
  // The other slide is unlikely, and folded.
  await expect.poll(async () => (await places()).toSorted()).toEqual(['Pilots', 'page 2']);
  await page.fill('#query', 'ships of more than ninety metres');
  await expect.poll(async () => (await places()).toSorted()).toEqual(['Pilots', 'page 1', 'page 2']);
});

/** A file of these parts in a zip. */
const zipped = (name: string, parts: Record<string, string>) => ({
  name,
  mimeType: '',
  buffer: Buffer.from(zipSync(Object.fromEntries(Object.entries(parts).map(([part, xml]) => [part, strToU8(xml)])))),
});
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const relations = (type: string, target: string) =>
  `<Relationships><Relationship Id="r" Type="${OFFICE}/${type}" Target="${target}"/></Relationships>`;
const docx = (name: string, body: string, notes = '') =>
  zipped(name, {
    '_rels/.rels': relations('officeDocument', 'word/document.xml'),
    'word/document.xml': `<w:document xmlns:w="w"><w:body>${body}</w:body></w:document>`,
    'word/_rels/document.xml.rels': relations('footnotes', 'footnotes.xml'),
    'word/footnotes.xml': `<w:footnotes xmlns:w="w">${notes}</w:footnotes>`,
  });
const pptx = (name: string, slides: number, text: string) =>
  zipped(name, {
    '_rels/.rels': relations('officeDocument', 'ppt/p.xml'),
    'ppt/p.xml': `<p:presentation xmlns:p="p" xmlns:r="${OFFICE}">${'<p:sldId r:id="r"/>'.repeat(slides)}</p:presentation>`,
    'ppt/_rels/p.xml.rels': relations('slide', 's.xml'),
    'ppt/s.xml': `<p:sld xmlns:p="p" xmlns:a="a"><a:p><a:r><a:t>${text}</a:t></a:r></a:p></p:sld>`,
  });
const epub = (name: string, references: number, chapter: string) =>
  zipped(name, {
    'META-INF/container.xml': '<container><rootfile full-path="b.opf"/></container>',
    'b.opf': `<package><item id="a" href="a.xhtml"/>${'<itemref idref="a"/>'.repeat(references)}</package>`,
    'a.xhtml': chapter,
  });
const html = (name: string, source: string) => ({ name, mimeType: '', buffer: Buffer.from(source) });
const inEachOther = (tag: string, times: number, inner: string) =>
  `<${tag}>`.repeat(times) + inner + `</${tag}>`.repeat(times);

it('reads or refuses files that are made to stop it', async () => {
  // The page's policy forbids the styles of files, and those of what the parser puts in the place of XML that is none.
  const page = await open({ path: '#sort', mayLog: /inline (style|event handler) violates/ });
  await page.waitForSelector('#sort-drop input[multiple]', { state: 'attached' });
  const words = '<w:p><w:r><w:t>Few words.</w:t></w:r></w:p>';
  const place = (id: number) => `<w:footnoteReference w:id="${id}"/>`;
  const notes = Array.from(
    { length: 40 },
    (_, id) => `<w:footnote w:id="${id}"><w:p><w:t>n</w:t>${place(id + 1).repeat(2)}</w:p></w:footnote>`,
  );
  const xhtml = '<html xmlns="http://www.w3.org/1999/xhtml"><p style="color: red">A chapter.</p></html>';
  await watchLongTasks(page);
  await page.setInputFiles('#sort-drop input[multiple]', [
    docx('notes.docx', `<w:p><w:t>Notes</w:t>${place(0)}</w:p>`, notes.join('')),
    docx('controls.docx', inEachOther('w:sdt', 4000, words)),
    docx('deep.docx', inEachOther('w:sdt', 9900, words)),
    docx('tables.docx', `${'<w:tbl><w:tr><w:tc>'.repeat(600)}${words}${'</w:tc></w:tr></w:tbl>'.repeat(600)}`),
    docx('unfinished.docx', '<w:p>'),
    pptx('talk.pptx', 3000, 'One slide.'),
    epub('book.epub', 3000, xhtml),
    epub('sloppy.epub', 1, '<p style="color: red">Dogs & cats<br>sleep'),
    epub('entity.epub', 1, '<!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"><p>Cats&nbsp;sleep</p></html>'),
    html('deep.html', `${'<div>'.repeat(100_000)}deep`),
    html('nested.html', `${'<div>'.repeat(1500)}nested`),
    html('marks.html', `<p>Many${'<b class=x>s'.repeat(20_000)}`),
    html('styled.html', '<style>p { color: red }</style><p style="color: red" onclick="stop()">Styled.'),
  ]);
  await waitForText(page, '#sort-facts', '10 files');
  expect(await longTasks(page, 2000)).toEqual([]);
  expect((await textOf(page, '#sort-problems')).split('\n')).toEqual([
    'deep.docx is damaged or not what its name says. Open it in the program that wrote it and save it again.',
    'deep.html has more than 2,000 elements of HTML in each other, the most that is read. Open it in a browser and copy its text.',
    'unfinished.docx is damaged or not what its name says. Open it in the program that wrote it and save it again.',
  ]);
  const texts = {
    'controls.docx': 'Few words.',
    'tables.docx': 'Few words.',
    'talk.pptx': 'One slide.',
    'book.epub': 'A chapter.',
    'sloppy.epub': 'Dogs & cats\nsleep',
    'entity.epub': 'Cats sleep',
    'nested.html': 'nested',
    'styled.html': 'Styled.',
  };
  expect(await textsOf(page, Object.keys(texts))).toEqual(texts);
  // Of a long text the beginning is shown.
  expect((await textsOf(page, ['marks.html']))['marks.html']).toMatch(/^Manys{1000,}/);
  expect((await textsOf(page, ['notes.docx']))['notes.docx']).toMatch(
    /^Notes\[1\]\n\n\[1\] n\[2\]\[2\]\n\n.*\[40\] n$/s,
  );
});
