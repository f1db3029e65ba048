import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AnswerOptions } from '../api/calls';
import type { Model } from '../api/types';
import { loadTestModel } from '../session/fixtures';

const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
const readFixture = (name: string) => JSON.parse(readFileSync(fixture(name), 'utf8'));

let model: Model;
beforeAll(async () => {
  model = await loadTestModel(fixture('question-answering'), { dtype: 'f32', arithmetic: 'f32' });
});
afterAll(() => model?.dispose());

interface PipelineCall {
  question: string;
  context: string;
  options: Record<string, number | boolean>;
  values: { answer: string; score: number; start: number; end: number }[];
}

const NAMES: Record<string, keyof AnswerOptions> = {
  top_k: 'topK',
  max_seq_len: 'maxTokens',
  doc_stride: 'docStride',
  max_answer_len: 'maxAnswerLength',
  handle_impossible_answer: 'handleImpossible',
  align_to_words: 'alignToWords',
};

describe('answer gives what the pipeline of transformers gives', () => {
  const { calls } = readFixture('question-answering-pipeline.json') as { calls: PipelineCall[] };
  const named = calls.map((call): [string, PipelineCall] => [`${call.question} ${JSON.stringify(call.options)}`, call]);

  it.each(named)('%s', async (_, { question, context, options, values }) => {
    const own = Object.fromEntries(Object.entries(options).map(([name, value]) => [NAMES[name], value]));
    const found = await model.answer(question, context, own);
    // The pipeline's offsets include the space before a word.
    const expected = values.map(({ answer, start, ...rest }) => ({
      ...rest,
      answer: answer.trimStart(),
      start: start + answer.length - answer.trimStart().length,
    }));
    expect(found.map(({ answer, start, end }) => [answer, start, end])).toEqual(
      expected.map(({ answer, start, end }) => [answer, start, end]),
    );
    for (const [i, { score, answer, start, end }] of found.entries()) {
      expect(Math.abs(score - expected[i].score)).toBeLessThan(1e-5);
      expect(context.slice(start, end)).toBe(answer);
    }
  });
});

it('answers lists: of pairs, of questions about one context, of contexts for one question', async () => {
  const [a, b] = ['The Seine crosses Paris.', 'Bread is made of flour.'];
  const one = (question: string, context: string) => model.answer(question, context, { topK: 2 });
  const expected = [await one('Which river?', a), await one('Of what?', b)];
  expect(await model.answer(['Which river?', 'Of what?'], [a, b], { topK: 2 })).toEqual(expected);
  expect(await model.answer(['Which river?', 'Of what?'], a, { topK: 2 })).toEqual([
    expected[0],
    await one('Of what?', a),
  ]);
  expect(await model.answer('Which river?', [a, b], { topK: 2 })).toEqual([expected[0], await one('Which river?', b)]);
  for (const contexts of [await model.answer('Which river?', []), await model.answer([], [])])
    expect(contexts).toEqual([]);
});

it('says what is wrong', async () => {
  const refuses = (run: Promise<unknown>, message: string | RegExp) => expect(run).rejects.toThrow(message);
  await refuses(model.answer('', 'a'), 'Question 0 is empty.');
  await refuses(model.answer(['a', 'b'], ['c', '']), 'Context 1 is empty.');
  await refuses(model.answer(['a', 'b'], ['c']), 'There are 2 questions, but 1 contexts');
  await refuses(model.answer([], ['a']), 'There are 0 questions, but 1 contexts');
  await refuses(model.answer('', []), 'Question 0 is empty.');
  await refuses(model.answer('a', 'b', { topK: 0 }), 'topK must be a positive integer');
  await refuses(
    model.answer('a', 'b', { maxAnswerLength: 1.5 }),
    'maxAnswerLength must be a positive integer; it is 1.5.',
  );
  await refuses(
    model.answer('a', 'b', { maxTokens: 513 }),
    "maxTokens must be an integer from 1 to 512, the model's limit; it is 513.",
  );
  await refuses(
    model.answer('a '.repeat(50), 'b', { maxTokens: 20 }),
    /Question 0 has \d+ tokens.*none of maxTokens 20/,
  );
  await refuses(
    model.answer('a', 'b', { maxTokens: 20, docStride: 16 }),
    /docStride must be an integer from 0 to 15, .* 16 tokens .* it is 16/,
  );
  await refuses(model.answer('a', 5 as never), 'Context 0 must be a string, it is number.');
  await refuses(
    model.classify('a'),
    'classify needs a sequence classifier; this checkpoint is a question answering model.',
  );
});
