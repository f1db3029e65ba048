import { readFileSync } from 'node:fs';
import { strToU8, zipSync } from 'fflate';
import { expect, it } from 'vitest';
import { unzip } from './unzip';

const words = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);
const own = (bytes: Uint8Array) => new Uint8Array(bytes);
const fixture = (name: string) => own(readFileSync(new URL(`./fixtures/${name}`, import.meta.url)));
const all = () => true;
const most = 1000;

it('unpacks the parts that are wanted, packed and stored ones', async () => {
  const zip = zipSync({
    'a.xml': strToU8('one '.repeat(50)),
    'b/c.xml': [strToU8('two'), { level: 0 }],
    'empty.xml': strToU8(''),
    'photo.jpg': new Uint8Array(5000),
  });
  const parts = await unzip('a.docx', own(zip), (part) => part.endsWith('.xml'), { most });
  expect([...parts.keys()]).toEqual(['a.xml', 'b/c.xml', 'empty.xml']);
  expect(words(parts.get('a.xml'))).toBe('one '.repeat(50));
  expect(words(parts.get('b/c.xml'))).toBe('two');
  expect(parts.get('empty.xml')).toHaveLength(0);
});

it('stops at what is too large, whatever the file says of its sizes', async () => {
  const zip = own(zipSync({ 'a.xml': new Uint8Array(800), 'b.xml': new Uint8Array(800) }));
  const tooLarge = 'a.docx holds more than 0.001 MB of text and structure';
  await expect(unzip('a.docx', zip, all, { most })).rejects.toThrow(tooLarge);
  expect((await unzip('a.docx', zip, all, { most: 1600 })).size).toBe(2);
  // 20 MB that claim to be 10 bytes, in the head of the part and in the list at the end.
  const bomb = own(zipSync({ 'a.xml': [new Uint8Array(20e6), { level: 1 }] }));
  const view = new DataView(bomb.buffer);
  const list = bomb.findLastIndex((_, i) => i + 4 <= bomb.length && view.getUint32(i, true) === 0x02014b50);
  view.setUint32(22, 10, true);
  view.setUint32(list + 24, 10, true);
  await expect(unzip('a.docx', bomb, all, { most: 1e6 })).rejects.toThrow('a.docx holds more than 1 MB');
});

it('says what is wrong with a file that it cannot open', async () => {
  const zip = own(
    zipSync({ 'a.xml': [strToU8(Array.from({ length: 400 }, (_, i) => i * i).join(' ')), { level: 9 }] }),
  );
  const read = (bytes: Uint8Array<ArrayBuffer>) => unzip('a.docx', bytes, all, { most: 64e6 });
  await expect(read(own(strToU8('no zip')))).rejects.toThrow('a.docx is damaged or not what its name says.');
  await expect(read(zip.slice(0, 300))).rejects.toThrow('a.docx is damaged');
  const broken = zip.slice();
  broken.fill(0xff, 40, 200);
  await expect(read(broken)).rejects.toThrow('a.docx is damaged');
  await expect(read(fixture('locked.docx'))).rejects.toThrow(
    'a.docx is locked with a password. Save a copy without one',
  );
  const old = Uint8Array.of(0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, ...new Uint8Array(504));
  await expect(read(old)).rejects.toThrow('a.docx is in the format that Office used until 2003.');
  const signal = AbortSignal.abort();
  await expect(unzip('a.docx', zip, all, { most, signal })).rejects.toThrow('aborted');
});

it.each(['port.docx', 'port.odt', 'port.epub', 'port.pptx'])('opens %s as the program wrote it', async (name) => {
  const parts = await unzip(name, fixture(name), (part) => /\.(xml|xhtml)$/.test(part), { most: 1e6 });
  expect([...parts.values()].map(words).join('')).toContain('The pilot brings every ship');
});
