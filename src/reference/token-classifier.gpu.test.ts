import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Aggregation } from '../api/calls';
import type { Model } from '../api/types';
import { loadTestModel } from '../session/fixtures';

const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));

let model: Model;
beforeAll(async () => {
  model = await loadTestModel(fixture('token-classifier'), { dtype: 'f32', arithmetic: 'f32' });
});
afterAll(() => model?.dispose());

interface PipelineCall {
  text: string;
  words?: string[];
  aggregation: Aggregation | 'word';
  values: [label: string, score: number, start: number | string, end: number][];
}
const { calls } = JSON.parse(readFileSync(fixture('token-classifier-pipeline.json'), 'utf8')) as {
  calls: PipelineCall[];
};

const expectScores = (found: { score: number }[], values: PipelineCall['values']) => {
  for (const [i, { score }] of found.entries()) expect(Math.abs(score - values[i][1])).toBeLessThan(1e-5);
};

describe("classifyTokens gives what transformers' pipeline gives", () => {
  const groups = calls.filter(({ aggregation, words }) => aggregation !== 'word' && !(words && aggregation === 'none'));
  const named = groups.map((call): [string, PipelineCall] => [
    `${call.aggregation} of ${call.words ?? call.text}`,
    call,
  ]);

  it.each(named)('%s', async (_, { text, words, aggregation, values }) => {
    const input = words ? { words } : text;
    const options = { aggregation: aggregation as 'simple', ignoreLabels: [] };
    const found = await model.classifyTokens(input, options);
    const whole = words?.join(' ') ?? text;
    // The pipeline's offsets include the space before a word, which may be a token of its own.
    const trimmed = values.map(([label, , first, last]) => {
      const own = whole.slice(first as number, last);
      const start = (first as number) + own.length - own.trimStart().length;
      return own.trim() ? [label, start, start + own.trim().length] : [label, first, last];
    });
    expect(found.map(({ label, start, end }) => [label, start, end])).toEqual(trimmed);
    expectScores(found, values);
  });
});

it('gives one label per word, that of its first token', async () => {
  const { words, values } = calls.find(({ aggregation }) => aggregation === 'word')!;
  const found = await model.classifyTokens({ words: words! });
  expect(found.map(({ label, word, index }) => [label, word, index])).toEqual(
    values.map(([label, , word, index]) => [label, word, index]),
  );
  expectScores(found, values);
  expect(await model.classifyTokens([{ words: words! }, { words: ['x'] }])).toEqual([
    found,
    await model.classifyTokens({ words: ['x'] }),
  ]);
  const { ids, wordIds } = await model.tokenize({ words: words! });
  expect(wordIds[1]).toBe(0);
  expect(wordIds).toHaveLength(ids.length);
});

it('leaves out words that are cut off, and names what is no word', async () => {
  const words = Array.from({ length: 600 }, () => 'x');
  await expect(model.classifyTokens({ words })).rejects.toThrow(/Text 0 has 602 tokens, the model's limit is 512/);
  expect(await model.classifyTokens({ words }, { truncate: true })).toHaveLength(510);
  await expect(model.classifyTokens({ words: [] })).rejects.toThrow('There are no words of text 0: the list is empty.');
  await expect(model.classifyTokens({ words: ['a', ''] })).rejects.toThrow('Text 0: word 1 is empty.');
  await expect(model.classifyTokens({ words: 'a' as never })).rejects.toThrow('must be an array, not string');
  await expect(model.classifyTokens('a', { decode: 'best' as never })).rejects.toThrow('decode must be one of argmax');
});

it('decodes by the scheme where asked: no I- without its B-', async () => {
  for (const text of calls.flatMap((call) => call.text ?? [])) {
    const found = await model.classifyTokens(text, { decode: 'viterbi' });
    const labels = found.map(({ label }) => label);
    for (const [i, label] of labels.entries()) {
      if (!label.startsWith('I-')) continue;
      expect(labels[i - 1]?.slice(2)).toBe(label.slice(2));
    }
    const greedy = (await model.classifyTokens(text)).map(({ label }) => label);
    expect(labels).not.toEqual(greedy);
  }
});
