import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { licencesOf, licencesText } from './licences.mjs';

const PACKAGES: Record<string, { license?: unknown; files?: Record<string, string> }> = {
  one: { license: 'MIT', files: { LICENSE: 'Shared text\r\n', 'README.md': 'no licence', 'lib/deep.js': '' } },
  '@scope/two': {
    license: '(GPL-3.0 OR Apache-2.0)',
    files: { 'licence.md': 'Shared text', 'data/NOTICE': 'Of the data' },
  },
  'one/node_modules/inner': { license: 'BSD-3-Clause', files: { COPYING: 'Inner text' } },
  textless: { license: 'MIT', files: { 'license.js': 'code', 'src/LICENSE': 'only of that folder' } },
  copyleft: { license: 'GPL-3.0', files: { LICENSE: 'text' } },
  both: { license: 'MIT AND GPL-3.0', files: { LICENSE: 'text' } },
  old: { license: { type: 'MIT' }, files: { LICENSE: 'text' } },
  unnamed: { files: { LICENSE: 'text' } },
};

let folder: string;
const idOf = (name: string, file = 'main.js') => join(folder, 'node_modules', name, file);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'licences-'));
  for (const [name, { license, files }] of Object.entries(PACKAGES)) {
    const all = {
      'package.json': JSON.stringify({ name: name.replace('one/node_modules/', ''), version: '1.2.3', license }),
      ...files,
    };
    for (const [file, text] of Object.entries(all)) {
      await mkdir(dirname(idOf(name, file)), { recursive: true });
      await writeFile(idOf(name, file), text);
    }
  }
});
afterAll(() => rm(folder, { recursive: true }));

test('names each package that modules are of, also the nested one and the one behind a marker, and no code of the project', () => {
  const found = licencesOf([
    join(folder, 'src/main.ts'),
    '\0virtual-module',
    idOf('one'),
    idOf('one', 'lib/deep.js?query'),
    `\0${idOf('@scope/two')}?commonjs-module`,
    idOf('one/node_modules/inner'),
  ]);
  expect(found).toEqual([
    { name: '@scope/two', version: '1.2.3', licence: '(GPL-3.0 OR Apache-2.0)', texts: ['Shared text'] },
    { name: 'inner', version: '1.2.3', licence: 'BSD-3-Clause', texts: ['Inner text'] },
    { name: 'one', version: '1.2.3', licence: 'MIT', texts: ['Shared text'] },
  ]);
});

test('a folder of a package may have a text of its own, and equal texts are printed once', () => {
  const text = licencesText([idOf('one'), idOf('@scope/two', 'data/map.bin?url')]);
  expect(text).toContain('@scope/two 1.2.3 ((GPL-3.0 OR Apache-2.0))\none 1.2.3 (MIT)\n\nShared text\n');
  expect(text).toContain('@scope/two 1.2.3 ((GPL-3.0 OR Apache-2.0))\n\nOf the data\n');
  expect(licencesText([join(folder, 'src/main.ts')])).toMatch(/no code of other packages/);
});

test.each([
  ['textless', /^textless 1\.2\.3 is in the bundle, and has no file with its licence \(MIT\)/],
  ['copyleft', /^copyleft 1\.2\.3 is in the bundle, and its licence is "GPL-3\.0"\. Allowed: .*Apache/],
  ['both', /its licence is "MIT AND GPL-3\.0"/],
  ['old', /its licence is \{"type":"MIT"\}/],
  ['unnamed', /its licence is undefined/],
])('a bundle with the package %s is refused', (name, message) => {
  expect(() => licencesText([idOf('one'), idOf(name)])).toThrow(message);
});
