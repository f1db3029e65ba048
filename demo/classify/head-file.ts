import type { ClassifierFile } from '../../src/classifier';
import type { Dtype } from '../../src/index';
import type { Choice } from '../models/model-store';
import { quoted, snippet } from '../take-away/snippets';

/** An exported classifier, of this version or the first, with what this page adds: the Hub id or name of its model. */
export interface HeadFile extends Pick<ClassifierFile, 'labels'>, Partial<Pick<ClassifierFile, 'encoder'>> {
  model: string;
  /** In version 1; later ones have it in `encoder`. */
  dtype?: string;
}

/** Reads an exported file as far as it takes to choose its model; loadClassifier checks the rest. Throws an Error in words for anything else. */
export function parseHeadFile(name: string, json: string): HeadFile {
  let head: Partial<HeadFile> | null;
  try {
    head = JSON.parse(json);
  } catch (cause) {
    throw new Error(`${name} is not JSON: ${(cause as Error).message}`, { cause });
  }
  if (typeof head?.model !== 'string' || !Array.isArray(head.labels)) {
    throw new Error(`${name} is not a classifier that this page exported: it has no "model" and "labels".`);
  }
  return head as HeadFile;
}

/** Throws an Error in words if the head was trained on another model's embeddings. */
export function checkModel(head: HeadFile, name: string): void {
  if (head.model === name) return;
  throw new Error(
    `This classifier was trained on embeddings of ${head.model}, and ${name} is chosen. Its numbers mean nothing to another model: choose ${head.model} first, or train a new one.`,
  );
}

/** How to use an exported head in one's own code, with its model. */
export const usage = ({ dtype, encoder }: HeadFile, choice: Choice): string =>
  snippet(
    ["import { loadClassifier } from 'modernbert-webgpu/classifier';"],
    { ...choice, dtype: (encoder?.dtype ?? dtype ?? choice.dtype) as Dtype },
    `
const classifier = loadClassifier(model, await (await fetch('./classifier-head.json')).json());
const [[best]] = await classifier.classify(['What is this about?']);
console.log(best.label, best.score);`,
  );

/** How to train such a head. */
export const training = (examples: { text: string; label: string }[], choice: Choice): string =>
  snippet(
    ["import { trainClassifier } from 'modernbert-webgpu/classifier';"],
    choice,
    `
const examples = [
${examples.map(({ text, label }) => `  { text: ${quoted(text)}, label: ${quoted(label)} },`).join('\n')}
];
const classifier = await trainClassifier(model, examples, { truncate: true });
console.log(classifier.evaluation.accuracy);
const [[best]] = await classifier.classify(['What is this about?']);
console.log(best.label, best.score);`,
  );
