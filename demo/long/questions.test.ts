import { expect, it } from 'vitest';
import { sampleDocuments } from '../../tools/sample.mjs';
import { answeredBefore } from './questions';
import { QUESTIONS } from './sample';

const QUESTION = { question: 'who mends nets?', place: 'nets are mended' };
const TEXT = 'Boats come in. The nets are mended by the old. Fish is sold.';

it('offers only what is answered in the part that was read, the last ones', () => {
  const end = TEXT.indexOf(QUESTION.place) + QUESTION.place.length;
  expect(answeredBefore([QUESTION], TEXT, end)).toEqual(['who mends nets?']);
  expect(answeredBefore([QUESTION], TEXT, end - 1)).toEqual([]);
  expect(answeredBefore([QUESTION], 'Another text.', 1000)).toEqual([]);
  const many = Array.from({ length: 6 }, (_, i) => ({ question: `${i}`, place: 'Boats' }));
  expect(answeredBefore(many, TEXT, 5)).toEqual(['2', '3', '4', '5']);
});

it('has questions of the chapter, which has their places in this order, two of them in the first 2,000 characters', () => {
  const { text } = sampleDocuments().find(({ text }) => text.includes(QUESTIONS[0].place))!;
  const places = QUESTIONS.map(({ place }) => text.indexOf(place));
  expect(places[0]).toBeGreaterThan(0);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(answeredBefore(QUESTIONS, text, 2000)).toEqual(QUESTIONS.slice(0, 2).map(({ question }) => question));
  expect(answeredBefore(QUESTIONS, text, text.length)).toEqual(QUESTIONS.slice(-4).map(({ question }) => question));
});
