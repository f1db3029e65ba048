import { readFile } from 'node:fs/promises';
import { strToU8, unzipSync, zipSync } from 'fflate';
import { expect, it } from 'vitest';
import { textOf, useDemo, waitForText } from './demo-page';
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

it('reads documents of Word, PowerPoint and OpenDocument, and books in EPUB', async () => {
  const page = await open({ path: '#sort' });
  const files = await Promise.all(Object.keys(TEXTS).map((name) => fixture(name)));
  await page.setInputFiles('#sort-drop input[multiple]', files);
  await waitForText(page, '#sort-facts', '4 files');
  const found: Record<string, string> = {};
  for (const name of Object.keys(TEXTS)) {
    const row = page.locator('.doc', { hasText: name });
    await row.locator('summary').click();
    found[name] = (await row.locator('.doc-text').textContent()) ?? '';
  }
  expect(found).toEqual(TEXTS);
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
  await expect.poll(async () => (await places()).toSorted()).toEqual(['Pilots', 'page 1', 'page 2']);
});
