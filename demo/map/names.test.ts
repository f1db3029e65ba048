import { expect, it } from 'vitest';
import { classTfIdf, nameClusters, wordsOf } from './names';

it('weights words by c-TF-IDF', () => {
  // 4 and 8 words: A = 6. whale: f = 4; the: f = 6; ship: f = 2.
  const [first, second] = classTfIdf([
    new Map([
      ['whale', 3],
      ['the', 1],
    ]),
    new Map([
      ['whale', 1],
      ['the', 5],
      ['ship', 2],
    ]),
  ]);
  expect(first.get('whale')).toBeCloseTo(3 * Math.log(1 + 6 / 4), 12);
  expect(first.get('the')).toBeCloseTo(Math.log(2), 12);
  expect(second.get('the')).toBeCloseTo(5 * Math.log(2), 12);
  expect(second.get('ship')).toBeCloseTo(2 * Math.log(4), 12);
  expect(first.has('ship')).toBe(false);
});

it('finds words in any language', () => {
  expect(wordsOf('The Ship’s no. 42 in Ｓea – Öl, cafe\u0301!')).toEqual(['the', 'ship', 'sea', 'café']);
  expect(wordsOf('鲸鱼不是鱼。')).toContain('鲸鱼');
  expect(wordsOf('Кит плывёт по морю')).toEqual(['кит', 'плывёт', 'морю']);
});

it('names clusters by what sets them apart, not by what all have', () => {
  const texts = [
    'the whale swam in the sea',
    'the whales and the sea',
    'the sea has a whale',
    'the bread is in the oven',
    'the bread and the flour',
    'the oven has bread and flour',
  ];
  const names = nameClusters(texts.map(wordsOf), Int32Array.of(0, 0, 0, 1, 1, 1), 2, 3);
  expect(names[0].toSorted()).toEqual(['sea', 'whale']); // whales is a form of whale; swam is in one text alone
  expect(names[1].toSorted()).toEqual(['bread', 'flour', 'oven']);
});

it('has no name where there are no words, or no text', () => {
  expect(nameClusters([[], ['one', 'one']], Int32Array.of(0, 2), 3, 2)).toEqual([[], [], []]);
});
