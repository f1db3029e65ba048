import type { Model } from '../../src/index';
import { importIndex } from '../../src/search';
import { readSample } from '../sample';
import type { Section } from '../search/sections';
import type { Question } from './questions';
import type { LongText } from './source';

/** A chapter of about 8,000 tokens, which one pass can read. */
const CHAPTER = 'Chapter 3: The Spouter-Inn';

/** What can be asked of the chapter, in the order of the places. The model finds them, however much is read; even the first 512 tokens have two. */
export const QUESTIONS: Question[] = [
  { question: 'a painting that is hard to make out', place: 'a very large oilpainting so thoroughly besmoked' },
  { question: 'a gigantic fish', place: 'a faint resemblance to a gigantic fish' },
  { question: 'clubs and spears on the wall', place: 'monstrous clubs and spears' },
  { question: 'old harpoons and lances', place: 'rusty old whaling lances and harpoons' },
  { question: 'glasses that cheat the drinker', place: 'tapered downwards to a cheating bottom' },
  { question: 'supper is served', place: "Supper'll be ready directly" },
  { question: 'sailors home from a long voyage', place: "a three years' voyage, and a full ship" },
  { question: 'sleeping in one bed with a stranger', place: 'No man prefers to sleep two in a bed' },
];

/** A chapter of the book that the Search tab searches. */
export async function readChapter(): Promise<LongText> {
  const noModel = new Promise<Model>(() => {}); // only the texts are wanted
  const index = await importIndex<Section>(noModel, await readSample(), { words: false, gpu: false });
  const found = [...index.documents()].find(({ metadata }) => metadata.place === CHAPTER);
  void index.close();
  if (!found) throw new Error(`The sample has no ${CHAPTER}.`);
  return { name: `Moby-Dick, ${CHAPTER}`, text: found.text, questions: QUESTIONS };
}
