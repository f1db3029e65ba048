import { describe, expect, it } from 'vitest';
import { UnsupportedModelError } from '../api/errors';
import { createTokenizer } from './tokenizer';

const tokenizerOf = (Regex: string) =>
  createTokenizer(
    {
      normalizer: { type: 'Replace', pattern: { Regex }, content: ' ' },
      pre_tokenizer: { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false },
      model: { type: 'BPE', vocab: { a: 0 }, merges: [] },
    },
    undefined,
  );

const CASE = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const UPPER = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
const LOWER = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';
const SPACES = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const NOT_HAN = '&&[^\\p{Han}]]';

describe('patterns', () => {
  it.each([
    ['GPT-2', "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"],
    ['Llama 3', `${CASE}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${SPACES}`],
    ['Qwen', `${CASE}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${SPACES}`],
    [
      'o200k',
      `[^\\r\\n\\p{L}\\p{N}]?${UPPER}*${LOWER}+${CASE}?|[^\\r\\n\\p{L}\\p{N}]?${UPPER}+${LOWER}*${CASE}?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${SPACES}`,
    ],
    [
      'Kimi',
      `[\\p{Han}]+|[^\\r\\n\\p{L}\\p{N}]?[${UPPER.slice(1, -1)}${NOT_HAN}*[${LOWER.slice(1, -1)}${NOT_HAN}+${CASE}?|${SPACES}`,
    ],
    [
      'DeepSeek',
      `[!"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_\`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|${SPACES}`,
    ],
    ['BLOOM', ' ?[^(\\s|[.,!?…。，、।۔،])]+'],
    ['CLIP', "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+"],
    ['digits from the right', '\\p{N}{1,3}(?=(?:\\p{N}{3})*(?:\\P{N}|$))'],
    ['DeBERTa', '\\s{2,}|[\\n\\r\\t]'],
    ['words', '\\b\\w+(?:[\\u0027-]\\w+)*\\b|[^\\w\\s]+'],
    ['syllables', '(?:\\p{L}\\p{M}*)+'],
    ['a loop', '^\\s+|\\s+$'],
    ['abbreviations', '(?:[A-Z]\\.)+'],
    ['amounts', ' ?\\d+(?:[.,]\\d+)*%'],
    ['quick to succeed', '(?:a|a)*'],
  ])('of %s pass', (_, pattern) => {
    expect(tokenizerOf(pattern).encode('').ids).toHaveLength(0);
  });

  it.each([
    ['loops in a loop', '(a+)+b'],
    ['a word in a loop', '(\\w+\\s?)+$'],
    ['equal choices', '(?:a|\\u0061)*b'],
    ['overlapping choices', '(a|b|ab)*c'],
    ['a longer word', '(?:abc|ab|c|cabcab)*d'],
    ['two loops', '\\s*\\n\\s*x'],
    ['two loops before a lookahead', '\\s*[\\r\\n]+(?=x)'],
    ['two ways to match nothing', '(?:(?:|)a)*b'],
    ['a lookahead', '(?=(x+x+)+y)z'],
    ['past an end', 'x(?:(b+)+c)?'],
    ['limited loops', '(?:(?:a{1,9}){1,9}){1,9}b'],
    ['optional copies', '(?:a?){30}a{30}'],
    ['optional characters', `${'a?'.repeat(30)}${'a'.repeat(30)}`],
    ['too few', '(?:(?:a+)+){50,}'],
    ['a rare character', '(?:[漢]+)+x'],
  ])('that can take for ever are refused: %s', (_, pattern) => {
    expect(() => tokenizerOf(pattern)).toThrow(UnsupportedModelError);
    expect(() => tokenizerOf(pattern)).toThrow(
      /the pattern = .* is not supported; it can take for ever, for example on/,
    );
  });

  it.each([
    ['of many parts', '[a-z]?'.repeat(1500), /it is too large/],
    ['with a back-reference', '(a)\\1', /its syntax is not known/],
    ['that are nested deeply', `${'(?:'.repeat(60)}a${')'.repeat(60)}`, /its syntax is not known/],
  ])('%s are refused', (_, pattern, message) => {
    expect(() => tokenizerOf(pattern)).toThrow(UnsupportedModelError);
    expect(() => tokenizerOf(pattern)).toThrow(message);
  });
});
