import { expect, it } from 'vitest';
import { EMBEDDERS, NANO } from './built-in';
import { candidatesFor } from './candidates';
import { firstLanguage } from './device-facts';
import { type DeviceFacts, isLanguage, languageName, recommend } from './recommend';

const GIB = 2 ** 30;
const DEVICE: DeviceFacts = { gpu: 'hardware', maxTensor: 2 * GIB, language: 'en', savesData: false, kept: [] };
const masks = (facts: Partial<DeviceFacts>) =>
  recommend('fill-mask', { ...DEVICE, ...facts }, candidatesFor('fill-mask', [NANO]));
const embedders = (facts: Partial<DeviceFacts>) =>
  recommend('embeddings', { ...DEVICE, ...facts }, candidatesFor('embeddings', EMBEDDERS));
const names = (found: ReturnType<typeof recommend>, most = 3) => found.slice(0, most).map(({ model }) => model.name);

it('recommends the best published figures on a strong GPU, after what comes with the page', () => {
  const found = masks({ memory: 8 * GIB });
  expect(names(found)).toEqual(['nano', 'answerdotai/ModernBERT-large', 'answerdotai/ModernBERT-base']);
  expect(found.slice(0, 3).map(({ dtype }) => dtype)).toEqual(['f16', 'f16', 'f16']);
  expect(found[1]).toMatchObject({ suits: true, pros: ["fits your GPU's memory", 'made for English'], cons: [] });
  // 64.4 and 64.7 are the same within two points: the quicker of the two.
  expect(names(embedders({ memory: 8 * GIB }))[2]).toBe('Alibaba-NLP/gte-modernbert-base');
});

it('takes weights of fewer bits on an English laptop with little memory, and leaves out what does not fit', () => {
  const found = masks({ memory: 2 * GIB });
  const of = (id: string) => found.find(({ model }) => model.name === id)!;
  // A quarter of 2 GiB are 537 MB: base has 299 MB as f16; large 792 MB as f16 and 422 MB as q8; 1b 1.1 GB as q8 and 585 MB as q4.
  expect(of('answerdotai/ModernBERT-base').dtype).toBe('f16');
  expect(of('answerdotai/ModernBERT-large')).toMatchObject({ dtype: 'q8', suits: true });
  expect(of('answerdotai/ModernBERT-large').pros).toContain("fits your GPU's memory as q8");
  const largest = of('jhu-clsp/ettin-encoder-1b');
  expect(largest.suits).toBe(false);
  expect(largest.cons).toEqual(["needs 585.0 MB, more than a quarter of this device's memory"]);
  expect(found.at(-1)).toBe(largest);
});

it('asks for the largest buffer, which the embedding table has to fit', () => {
  // xlm-roberta-base: 250,002 rows of 768 are 384 MB as f16, 204 MB as q8, 108 MB as q4.
  const dtype = (maxTensor: number) =>
    masks({ maxTensor, language: 'de' }).find(({ model }) => model.name === 'FacebookAI/xlm-roberta-base')?.dtype;
  expect([400e6, 300e6, 128e6].map(dtype)).toEqual(['f16', 'q8', 'q4']);
  const none = masks({ maxTensor: 100e6, language: 'de' }).find(
    ({ model }) => model.name === 'FacebookAI/xlm-roberta-base',
  )!;
  expect(none).toMatchObject({ suits: false, cons: ["has a tensor that is larger than your GPU's largest buffer"] });
});

it('puts models that read German first, and none that do not among the first three', () => {
  const found = masks({ language: 'de' });
  expect(names(found)).toEqual(['jhu-clsp/mmBERT-small', 'FacebookAI/xlm-roberta-base', 'jhu-clsp/mmBERT-base']);
  expect(found[0].pros).toContain('reads German');
  expect(found.find(({ model }) => model.name === 'nano')).toMatchObject({
    suits: false,
    cons: ['does not read German'],
  });
  expect(
    embedders({ language: 'de' })
      .slice(0, 3)
      .every(({ model }) => model.languages === 'multilingual'),
  ).toBe(true);
});

it('puts models made for a language before those that read it among others', () => {
  expect(names(embedders({ language: 'ja' }), 1)).toEqual(['cl-nagoya/ruri-v3-30m']);
  expect(embedders({ language: 'mul' })[0].pros).toContain('made for many languages');
});

it('leaves the network alone where the user saves data, or the line is slow', () => {
  const found = masks({ savesData: true });
  expect(names(found)).toEqual(['nano', 'jhu-clsp/ettin-encoder-17m', 'jhu-clsp/ettin-encoder-32m']);
  expect(found[0].cons).toEqual([]);
  expect(found[1].cons).toEqual(['a large download, and this browser saves data']);
  // 10 Mbit/s: 599 MB take 8 minutes, 1,584 MB 22.
  const slow = masks({ downlink: 10e6 });
  expect(names(slow, 2)).toEqual(['nano', 'answerdotai/ModernBERT-base']);
  expect(slow.find(({ model }) => model.name === 'answerdotai/ModernBERT-large')?.cons).toEqual([
    'up to 22 minutes to download',
  ]);
  // What is kept needs no network.
  expect(names(masks({ savesData: true, kept: ['answerdotai/ModernBERT-large'] }), 2)[1]).toBe(
    'answerdotai/ModernBERT-large',
  );
});

it('recommends small models where the CPU computes', () => {
  const found = masks({ gpu: 'software' });
  expect(names(found)).toEqual(['nano', 'jhu-clsp/ettin-encoder-17m', 'jhu-clsp/ettin-encoder-32m']);
  expect(found.find(({ model }) => model.name === 'answerdotai/ModernBERT-base')?.cons).toEqual([
    'slow here, where the CPU computes',
  ]);
});

it('recommends no model twice that comes with the page in another precision', () => {
  const found = embedders({ gpu: 'software' });
  expect(names(found)).toEqual(['nano-embed-q4', 'all-MiniLM-L6-v2', 'BAAI/bge-small-en-v1.5']);
});

it('says without WebGPU that nothing runs', () => {
  const found = masks({ gpu: 'none', maxTensor: undefined });
  expect(found.some(({ suits }) => suits)).toBe(false);
  for (const { cons } of found) expect(cons[0]).toBe('cannot run in this browser, which has no GPU for it');
  expect(found[0].pros).not.toContain("fits your GPU's memory");
});

it('names languages', () => {
  expect(['de', 'ja', 'mul'].map(languageName)).toEqual(['German', 'Japanese', 'many languages']);
});

it('knows what can be a language, and names it', () => {
  expect(['de', 'yue', 'mul', 'no such', '!', 'c', ''].filter(isLanguage)).toEqual(['de', 'yue', 'mul']);
  expect(['de', 'yue', 'mul'].map(languageName)).toEqual(['German', 'Cantonese', 'many languages']);
  expect(firstLanguage(['c', 'pt-BR'])).toBe('pt');
  expect(firstLanguage(['x-klingon'])).toBe('en');
});
