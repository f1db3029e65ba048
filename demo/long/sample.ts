import type { Model } from '../../src/index';
import { importIndex } from '../../src/search';
import { readSample } from '../sample';
import type { Section } from '../search/sections';
import type { LongText } from './source';

/** A chapter of about 8,000 tokens, which one pass can read. */
const CHAPTER = 'Chapter 3: The Spouter-Inn';

/** A chapter of the book that the Search tab searches. */
export async function readChapter(): Promise<LongText> {
  const noModel = new Promise<Model>(() => {}); // only the texts are wanted
  const index = await importIndex<Section>(noModel, await readSample(), { words: false, gpu: false });
  const found = [...index.documents()].find(({ metadata }) => metadata.place === CHAPTER);
  void index.close();
  if (!found) throw new Error(`The sample has no ${CHAPTER}.`);
  return { name: `Moby-Dick, ${CHAPTER}`, text: found.text };
}
