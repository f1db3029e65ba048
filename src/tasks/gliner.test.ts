import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { EntitiesOptions, Entity } from '../api/calls';
import type { ModelInfo } from '../api/types';
import { glinerCheckpoint } from '../model/gliner/gliner';
import { labelStride } from '../model/gliner/parts';
import type { Item } from '../runtime/pass-items';
import { createTokenizer } from '../tokenizer/tokenizer';
import { bound } from './call';
import type { Parts } from './common';
import { entities, wordsOf } from './entities';
import { greedy, scoredSpans, taggedSpans } from './entity-decoding';
import { callsOn } from './fixtures';

const CASES = ['uni-span', 'uni-marker', 'uni-token', 'bi-span', 'bi-token'];
const read = (name: string, file: string) =>
  JSON.parse(readFileSync(new URL(`../reference/fixtures/gliner-${name}/${file}`, import.meta.url), 'utf8'));

/** A reference checkpoint's parts, on a GPU that answers with `logit` everywhere. */
async function partsOf(name: string, logit = -9, info: Partial<ModelInfo> = {}) {
  const { config, heads } = await glinerCheckpoint(read(name, 'gliner_config.json'));
  const { added_tokens, ...tokenizer } = read(name, 'tokenizer.json');
  const submitted: Item[] = [];
  const parts = {
    config: {},
    gliner: { config, heads },
    info: { task: 'gliner', maxTokens: 512, maxTokensPerPass: 8192, ...info } as ModelInfo,
    tokenizer: createTokenizer({ ...tokenizer, added_tokens }, read(name, 'tokenizer_config.json')),
    where: 'the test',
    async submit(items: Item[]) {
      for (const item of items) submitted.push(item);
      for (const { wanted } of items) {
        for (const { rows = [], deliver } of wanted) deliver(new Float32Array(rows.length * 64).fill(logit), 64);
      }
    },
  } as unknown as Parts;
  const labelsRead: string[] = [];
  if (name.startsWith('bi')) {
    parts.gliner!.labels = {
      ...parts,
      async submit(items) {
        for (const [i, { wanted, ids }] of items.entries()) {
          labelsRead.push(ids.join(' '));
          for (const { deliver } of wanted)
            deliver(new Float32Array(labelStride(config)).fill(i + 1), labelStride(config));
        }
      },
    };
  }
  const call = bound(parts, 'entities', () => entities) as unknown as (
    texts: string | string[],
    labels: string[],
    options?: EntitiesOptions,
  ) => Promise<Entity[][]>;
  return { call, submitted, config, labelsRead };
}

it.each([
  [
    "O'Neill-Smith's re-use_of--x 12.5% a-1_b-",
    ['O', "'", 'Neill-Smith', "'", 's', 're-use_of', '-', '-', 'x', '12', '.', '5', '%', 'a-1_b', '-'],
  ],
  ['e\u0301te\u0301 naïve ½ Ⅷ 一二 ٣४ ß', ['e', '\u0301', 'te', '\u0301', 'naïve', '½', 'Ⅷ', '一二', '٣४', 'ß']],
  ['a\u00a0b\u2003c\u3000d\u0085e\ufefff\u200bg', ['a', 'b', 'c', 'd', 'e', '\ufeff', 'f', '\u200b', 'g']],
  ['x\u001cy\u001fz\u0000w\u007f', ['x', 'y', 'z', '\u0000', 'w', '\u007f']],
  ['🙂👍🏽 <<E>> “q” _a_', ['🙂', '👍', '🏽', '<', '<', 'E', '>', '>', '“', 'q', '”', '_a_']],
  ['ǅ ª ⁵ ① ㊄ ꣳ 𝟘 𐌰', ['ǅ', 'ª', '⁵', '①', '㊄', 'ꣳ', '𝟘', '𐌰']],
])('words of %j are those of the regular expression in Python', (text, words) => {
  expect(wordsOf(text).map((word) => word.text)).toEqual(words);
  for (const { text: word, start, end } of wordsOf(text)) expect(text.slice(start, end)).toBe(word);
});

describe.each(CASES)('a text for %s', (name) => {
  const { calls } = read(name, 'expected.json');

  it('is fed to the model as GLiNER does', async () => {
    for (const { texts, labels, ids } of calls) {
      const { call, submitted } = await partsOf(name);
      await call(texts, labels, { truncate: true });
      expect(submitted.map((item) => [...item.ids])).toEqual(ids.filter((own: number[]) => own.length > 0));
    }
  });

  it('has a span for every word and label, in rows that each have a token', async () => {
    const { call, submitted, config } = await partsOf(name);
    await call(['Zoë Keating played in Vancouver.'], ['person', 'place', 'person']);
    const [{ rows, lists }] = submitted[0].wanted;
    const [words, labels] = lists!;
    expect(words.length).toBe(6 * 3);
    for (let i = 0; i < words.length; i += 3) expect(words[i + 1]).toBeLessThan(words[i + 2]);
    if (name.startsWith('uni')) {
      const [first, second, third, fourth] = [0, 1, 2, 3].map((i) => [...labels.subarray(3 * i, 3 * i + 3)]);
      expect(rows!.length).toBe(Math.max(...labels));
      expect(second[1]).toBe(first[1] + 1);
      expect([third, fourth]).toEqual([second, second]); // the kernels' labels are padded
    } else {
      const vectors = new Float32Array(labels.buffer);
      const stride = labelStride(config);
      expect([0, 1, 2, 3].map((i) => vectors[i * stride])).toEqual([1, 2, 0, 0]);
    }
  });
});

describe('entities', () => {
  it('reads a label once', async () => {
    const { call, labelsRead } = await partsOf('bi-token');
    await call('A cat.', ['a', 'b']);
    await call('A dog.', ['b', 'c', 'a']);
    expect(labelsRead.length).toBe(3);
  });

  it('has the offsets of the words', async () => {
    const { call } = await partsOf('uni-span', 9);
    const [found] = await call(['🙂 Zoë'], ['x'], { flat: false });
    expect(found.map(({ text, start, end }) => [text, start, end])).toEqual([
      ['🙂', 0, 2],
      ['🙂 Zoë', 0, 6],
      ['Zoë', 3, 6],
    ]);
  });

  it('of a text without words are none', async () => {
    const { call, submitted } = await partsOf('uni-span', 9);
    expect(await call([' \n', 'a'], ['x'])).toMatchObject([[], [{ text: 'a' }]]);
    expect(submitted.length).toBe(1);
  });

  it('cuts a text to the words that the model may have, or says so', async () => {
    const { call, submitted } = await partsOf('bi-span');
    const text = Array(13).fill('a').join(' ');
    await expect(call(['a', text], ['x'])).rejects.toThrow(
      new RangeError("Text 1 has 13 words, the model's limit is 12 (max_len). Shorten it, or pass truncate: true."),
    );
    await call(text, ['x'], { truncate: true });
    expect(submitted[0].wanted[0].lists![0].length).toBe(3 * 12);
  });

  it('cuts a text to the tokens that the model may have, or says so', async () => {
    const { call, submitted } = await partsOf('uni-span', -9, { maxTokens: 12 });
    await expect(call('The harbour was closed because', ['x'])).rejects.toThrow(
      /^Text 0 with its labels has \d+ tokens, the model's limit is 12/,
    );
    await call('The harbour was closed because', ['x'], { truncate: true });
    expect(submitted[0].ids.length).toBe(12);
    await expect(call('A', ['a long label', 'and another'], { truncate: true })).rejects.toThrow(
      'The 2 labels do not fit: with them a text may have 12 tokens. Pass fewer at a time.',
    );
  });

  it('refuses what makes no sense', async () => {
    const { call } = await partsOf('uni-span');
    await expect(call('a', [])).rejects.toThrow(new RangeError('There are no labels: the list is empty.'));
    expect(await call([] as never, ['x'])).toEqual([]);
    await expect(call('a', 'person' as never)).rejects.toThrow(TypeError);
    await expect(call('a', [''])).rejects.toThrow(new RangeError('Label 0 is empty.'));
    await expect(call('', ['x'])).rejects.toThrow(new RangeError('Text 0 is empty.'));
    await expect(call('a', ['x'], { threshold: 2 })).rejects.toThrow(
      new RangeError('threshold must be a number from 0 to 1, it is 2.'),
    );
    await expect(callsOn('mlm', {}, () => []).calls.entities('a', ['x'])).rejects.toThrow(
      'entities needs a GLiNER model; this checkpoint is a masked language model.',
    );
  });

  it('refuses a tokenizer whose token for labels is another', async () => {
    const { call, config } = await partsOf('uni-span');
    config.class_token_index++;
    await expect(call('a', ['x'])).rejects.toThrow(
      /class_token_index is \d+, but by tokenizer.json the token "<<ENT>>"/,
    );
    config.ent_token = '<<NONE>>';
    await expect(call('a', ['x'])).rejects.toThrow('the token "<<NONE>>" (ent_token) is missing');
  });
});

describe('decoding', () => {
  const span = (first: number, last: number, score: number, label = 0) => ({ first, last, score, label });
  const spans = [span(0, 3, 0.6), span(1, 2, 0.9), span(2, 4, 0.7), span(1, 2, 0.8, 1), span(6, 6, 0.5)];
  const kept = (flat: boolean, multiLabel: boolean) =>
    greedy(spans, { flat, multiLabel }).map(({ first, last, label }) => `${first}-${last} ${label}`);

  it('keeps the best of what overlaps', () => expect(kept(true, false)).toEqual(['1-2 0', '6-6 0']));
  it('keeps what is nested if asked', () => expect(kept(false, false)).toEqual(['0-3 0', '1-2 0', '6-6 0']));
  it('keeps several labels if asked', () => expect(kept(true, true)).toEqual(['1-2 0', '1-2 1', '6-6 0']));

  it('takes the first of equal scores', () => {
    expect(greedy([span(0, 1, 0.5), span(0, 0, 0.5)], { flat: true, multiLabel: false })).toEqual([span(0, 1, 0.5)]);
  });

  it('leaves out spans beyond the last word and padded labels', () => {
    const found = scoredSpans(new Float32Array(2 * 3 * 4).fill(1), { words: 2, widths: 3, stride: 4, labels: 2 }, 0.5);
    expect(found.map(({ first, last, label }) => [first, last, label])).toEqual([
      [0, 0, 0],
      [0, 0, 1],
      [0, 1, 0],
      [0, 1, 1],
      [1, 1, 0],
      [1, 1, 1],
    ]);
  });

  it('makes spans of words that start, end and lie inside; the least score counts', () => {
    // start, end, inside of four words
    const logits = Float32Array.from([3, -9, 4, -9, 2, 1, 3, 3, 4, -9, 3, -1]);
    const found = taggedSpans(logits, { words: 4, stride: 1, labels: 1 }, 0.5);
    const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
    expect(found.map(({ first, last }) => [first, last])).toEqual([
      [0, 1],
      [0, 2],
      [2, 2],
    ]);
    for (const [i, { score }] of found.entries()) expect(score).toBeCloseTo(sigmoid([1, 1, 3][i]), 6);
  });
});
