import { describe, expect, it } from 'vitest';
import { entitiesOf, type Scored } from './classify-tokens';
import { tagsOf } from './label-scheme';

/** Labels and cases of transformers' own tests (tests/pipelines/test_pipelines_token_classification.py). */
const LABELS = ['O', 'B-MISC', 'I-MISC', 'B-PER', 'I-PER', 'B-ORG', 'I-ORG', 'B-LOC', 'I-LOC'];
const TAGS = tagsOf(LABELS);
const AGGREGATIONS = ['simple', 'first', 'max', 'average'] as const;

/** Tokens of a text: [what stands there, label → score]. A token is looked for behind the one before it. */
function tokensOf(text: string, list: [part: string, scores: Record<string, number>][], labels = LABELS): Scored[] {
  let at = 0;
  return list.map(([part, scores]) => {
    const start = text.indexOf(part, at);
    at = start + part.length;
    return { start, end: at, scores: labels.map((label) => scores[label] ?? 0) };
  });
}
const rounded = (entities: ReturnType<typeof entitiesOf>) =>
  entities.map(({ label, score, text }) => [label, Number(score.toFixed(3)), text]);

describe('entities', () => {
  it('are those of transformers: words of pieces of one class', () => {
    const text = 'Enzo at UN';
    const tokens = tokensOf(text, [
      ['En', { 'I-PER': 0.9968166351318359 }],
      ['zo', { 'I-PER': 0.9957635998725891 }],
      ['UN', { 'I-ORG': 0.9986497163772583 }],
    ]);
    const found = AGGREGATIONS.map((aggregation) => rounded(entitiesOf(text, tokens, TAGS, aggregation)));
    expect(found.map(([[, score]]) => score)).toEqual([0.996, 0.997, 0.997, 0.996]);
    for (const entities of found)
      expect(entities.map(([label, , part]) => [label, part])).toEqual([
        ['PER', 'Enzo'],
        ['ORG', 'UN'],
      ]);
    expect(found[0][1][1]).toBe(0.999);
  });

  it('are those of transformers: pieces that disagree', () => {
    const text = 'Ramazotti';
    const tokens = tokensOf(text, [
      ['Ra', { 'B-MISC': 0.55, 'B-PER': 0.45 }],
      ['ma', { 'B-PER': 0.2, 'B-LOC': 0.8 }],
      ['zotti', { 'B-PER': 0.4, 'I-ORG': 0.6 }],
    ]);
    const found = AGGREGATIONS.map((aggregation) => rounded(entitiesOf(text, tokens, TAGS, aggregation)));
    expect(found).toEqual([
      [
        ['MISC', 0.55, 'Ra'],
        ['LOC', 0.8, 'ma'],
        ['ORG', 0.6, 'zotti'],
      ],
      [['MISC', 0.55, text]],
      [['LOC', 0.8, text]],
      [['PER', 0.35, text]],
    ]);
  });

  it('start a new entity at B-, join over whitespace, and keep what is outside apart', () => {
    const text = 'Consuelo Araújo Noguera Andrés Pastrana of Farc';
    const tokens = tokensOf(text, [
      ['Con', { 'B-PER': 1 }],
      ['suelo', { 'I-PER': 1 }],
      ['Ara', { 'I-PER': 1 }],
      ['újo', { O: 0.6, 'I-PER': 0.4 }],
      ['Noguera', { 'I-PER': 1 }],
      ['Andrés', { 'B-PER': 1 }],
      ['Pastrana', { 'I-PER': 1 }],
      ['of', { O: 1 }],
      ['Far', { 'B-ORG': 1 }],
      ['c', { 'I-ORG': 0.5 }],
    ]);
    const names = (aggregation: (typeof AGGREGATIONS)[number]) =>
      entitiesOf(text, tokens, TAGS, aggregation).map(({ label, text: part }) => `${label} ${part}`);
    expect(names('first')).toEqual(['PER Consuelo Araújo Noguera', 'PER Andrés Pastrana', 'O of', 'ORG Farc']);
    expect(names('simple')).toEqual([
      'PER Consuelo Ara',
      'O újo',
      'PER Noguera',
      'PER Andrés Pastrana',
      'O of',
      'ORG Farc',
    ]);
  });

  it('end where BILOU and BIOES say so, and labels that only look like it are left alone', () => {
    const text = 'a b c d e f g';
    const label = (list: string[], all: string[]) =>
      entitiesOf(
        text,
        tokensOf(
          text,
          list.map((name, i): [string, Record<string, number>] => [text[2 * i], { [name]: 1 }]),
          all,
        ),
        tagsOf(all),
        'simple',
      ).map((entity) => `${entity.label} ${entity.text}`);
    const bilou = ['B-X', 'I-X', 'L-X', 'U-X', 'O'];
    expect(label(['B-X', 'I-X', 'L-X', 'L-X', 'U-X', 'U-X', 'O'], bilou)).toEqual([
      'X a b c',
      'X d',
      'X e',
      'X f',
      'O g',
    ]);
    const bioes = ['B-X', 'I-X', 'E-X', 'S-X', 'O'];
    expect(label(['S-X', 'B-X', 'E-X', 'I-X', 'I-X', 'O', 'S-X'], bioes)).toEqual([
      'X a',
      'X b c',
      'X d e',
      'O f',
      'X g',
    ]);
    const bmes = ['B-X', 'M-X', 'E-X', 'S-X', 'B-Y', 'E-Y', 'O'];
    expect(label(['B-X', 'M-X', 'E-Y', 'O', 'M-X', 'S-X', 'E-X'], bmes)).toEqual([
      'X a b',
      'Y c',
      'O d',
      'X e',
      'X f',
      'X g',
    ]);
    expect(label(['E-mail', 'E-mail', 'mail'], ['E-mail', 'mail'])).toEqual(['E-mail a b', 'mail c']);
  });

  it('count tokens of one character, and none for what stands for nothing', () => {
    const text = '🚀 x';
    const tokens: Scored[] = [
      { start: 0, end: 0, scores: [0, 1] },
      { start: 0, end: 2, scores: [0, 1] },
      { start: 0, end: 2, scores: [0.4, 0.6] },
      { start: 3, end: 4, scores: [1, 0] },
    ];
    expect(entitiesOf(text, tokens, tagsOf(['O', 'B-E']), 'first')).toEqual([
      { label: 'E', score: 1, text: '🚀', start: 0, end: 2 },
      { label: 'O', score: 1, text: 'x', start: 3, end: 4 },
    ]);
    expect(entitiesOf('', [], tagsOf(['O']), 'average')).toEqual([]);
  });
});
