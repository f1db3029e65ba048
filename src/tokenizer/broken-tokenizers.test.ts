import { describe, expect, it } from 'vitest';
import { ModelFileError, UnsupportedModelError } from '../api/errors';
import { smallest } from './fixtures/load';
import { checkTokenIds, createTokenizer } from './tokenizer';

describe('broken files', () => {
  const bpe = { type: 'BPE', vocab: { a: 0, b: 1 }, merges: [] as unknown[] };
  it.each([
    ['no object', 'text', /does not hold a JSON object/],
    ['an array', [], /does not hold a JSON object/],
    ['no model', {}, /model must be an object, it is missing/],
    [
      'unknown model',
      { model: { type: 'Magic' } },
      /model\.type must be one of BPE, Unigram, WordPiece, it is "Magic"/,
    ],
    ['no model type', { model: { vocab: {} } }, /model\.type must be .* it is missing/],
    ['no vocab', { model: { type: 'BPE', merges: [] } }, /model\.vocab must be an object of token ids, it is missing/],
    [
      'bad id',
      { model: { ...bpe, vocab: { a: '0' } } },
      /model\.vocab\["a"\] must be a token id from 0 to 9999999, it is "0"/,
    ],
    ['no merges', { model: { ...bpe, merges: null } }, /model\.merges must be an array, it is null/],
    ['bad merge', { model: { ...bpe, merges: ['a b', 'ab'] } }, /model\.merges\[1\] must be two tokens.* it is "ab"/],
    [
      'mixed merges',
      { model: { ...bpe, merges: ['a b', ['a', 'b']] } },
      /model\.merges\[1\] must be .* it is \["a","b"\]/,
    ],
    [
      'bad unknown token',
      { model: { ...bpe, unk_token: '<unk>' } },
      /model\.unk_token must be a token of model\.vocab, it is "<unk>"/,
    ],
    ['bad Unigram', { model: { type: 'Unigram', vocab: [['a', 0], 'b'] } }, /model\.vocab\[1\] must be .* it is "b"/],
    ['bad unk_id', { model: { type: 'Unigram', vocab: [['a', 0]], unk_id: 1 } }, /model\.unk_id must be .* it is 1/],
    [
      'WordPiece without unknown token',
      { model: { type: 'WordPiece', vocab: { a: 0 } } },
      /model\.unk_token must be .* it is missing/,
    ],
    ['bad added tokens', { ...smallest({}), added_tokens: {} }, /added_tokens must be an array, it is \{\}/],
    [
      'bad added token',
      { ...smallest({}), added_tokens: [{ content: 'x' }] },
      /added_tokens\[0\] must be .* it is \{"content":"x"\}/,
    ],
    [
      'bad normalizer',
      { ...smallest({}), normalizer: 'NFC' },
      /normalizer must be null or an object with a type, it is "NFC"/,
    ],
  ])('%s: ModelFileError', (_, file, message) => {
    expect(() => createTokenizer(file, undefined)).toThrow(ModelFileError);
    expect(() => createTokenizer(file, undefined)).toThrow(message);
  });

  it('a post-processor that adds a token outside the vocabulary: ModelFileError', () => {
    const post_processor = { type: 'BertProcessing', sep: ['[SEP]', 5], cls: ['[CLS]', 4] };
    expect(() => createTokenizer(smallest({ post_processor }), undefined)).toThrow(
      /a token of post_processor must be .* it is "\[SEP\]"/,
    );
  });

  const added = (...tokens: object[]) => ({ ...smallest({}), added_tokens: tokens });
  const wordPiece = { type: 'WordPiece', vocab: { a: 0 }, unk_token: 'a' };
  const template = (changes: object) => ({
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: 'a', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 0 } }],
    special_tokens: { a: { id: 'a', ids: [0], tokens: ['a'] } },
    ...changes,
  });
  const nested = (depth: number): object =>
    depth === 0 ? { type: 'NFC' } : { type: 'Sequence', normalizers: [nested(depth - 1)] };

  it.each([
    [
      'two tokens of one id',
      { model: { ...bpe, vocab: { a: 0, b: 0 } } },
      /model\.vocab\["b"\] must be another id than that of "a", it is 0/,
    ],
    ['a negative id', { model: { ...bpe, vocab: { a: -1 } } }, /model\.vocab\["a"\] must be a token id .* it is -1/],
    ['half an id', { model: { ...bpe, vocab: { a: 0.5 } } }, /it is 0\.5/],
    ['a huge id', { model: { ...bpe, vocab: { a: 2 ** 53 } } }, /from 0 to 9999999, it is 9007199254740992/],
    [
      'a huge token',
      { model: { ...bpe, vocab: { ['a'.repeat(1001)]: 0 } } },
      /must be the id of a token of at most 1000 char/,
    ],
    [
      'a merge of an unknown token',
      { model: { ...bpe, merges: ['a c'] } },
      /model\.merges\[0\] must be two tokens of model\.vocab .* it is "a c"/,
    ],
    [
      'a merge to an unknown token',
      { model: { ...bpe, merges: [['a', 'b']] } },
      /that together are one, it is \["a","b"\]/,
    ],
    [
      'a flag that is none',
      { model: { ...bpe, byte_fallback: 'yes' } },
      /model\.byte_fallback must be true or false, it is "yes"/,
    ],
    [
      'no pieces',
      { model: { type: 'Unigram', vocab: [] } },
      /model\.vocab must be a list of at least one piece, it is \[\]/,
    ],
    [
      'an infinite score',
      { model: { type: 'Unigram', vocab: [['a', Number.POSITIVE_INFINITY]] } },
      /model\.vocab\[0\] must be a \[piece, score\]/,
    ],
    [
      'long words',
      { model: { ...wordPiece, max_input_chars_per_word: 1e9 } },
      /max_input_chars_per_word must be a whole number of at most 1000/,
    ],
    [
      'no word prefix',
      { model: { ...wordPiece, continuing_subword_prefix: null } },
      /continuing_subword_prefix must be a string, it is null/,
    ],
    [
      'an added token of another id',
      added({ content: 'a', id: 5 }),
      /added_tokens\[0\]\.id must be 0, the id of "a" elsewhere, it is 5/,
    ],
    [
      'an added token of a taken id',
      added({ content: 'c', id: 1 }),
      /added_tokens\[0\]\.content must be "b", whose id is 1, it is "c"/,
    ],
    [
      'added tokens of one id',
      added({ content: 'c', id: 2 }, { content: 'd', id: 2 }),
      /added_tokens\[1\]\.content must be "c"/,
    ],
    [
      'an added token twice',
      added({ content: 'c', id: 2 }, { content: 'c', id: 3 }),
      /added_tokens\[1\]\.id must be 2/,
    ],
    [
      'a wrong flag',
      added({ content: 'c', id: 2, lstrip: 1 }),
      /added_tokens\[0\]\.lstrip must be true or false, it is 1/,
    ],
    [
      'special with a wrong flag',
      added({ content: 'c', id: 2, special: 'no' }),
      /added_tokens\[0\]\.special must be true or false/,
    ],
    [
      'a component flag',
      smallest({ normalizer: { type: 'BertNormalizer', lowercase: 'yes' } }),
      /normalizer\.lowercase must be true or false, it is "yes"/,
    ],
    [
      'a pattern',
      smallest({ pre_tokenizer: { type: 'Split', pattern: { egex: 'a' } } }),
      /pre_tokenizer\.pattern must be .* it is \{"egex":"a"\}/,
    ],
    [
      'broken syntax',
      smallest({ pre_tokenizer: { type: 'Split', pattern: { Regex: '(' } } }),
      /Invalid regular expression/,
    ],
    [
      'length 0',
      smallest({ pre_tokenizer: { type: 'FixedLength', length: 0 } }),
      /pre_tokenizer\.length must be a positive integer, it is 0/,
    ],
    [
      'a long replacement',
      smallest({ normalizer: { type: 'Replace', pattern: { String: 'a' }, content: 'a'.repeat(101) } }),
      /normalizer\.content must be a string of at most 100/,
    ],
    [
      'a list that is none',
      smallest({ normalizer: { type: 'Sequence' } }),
      /normalizer\.normalizers must be a list .* it is missing/,
    ],
    [
      'deep lists',
      smallest({ normalizer: nested(50) }),
      /normalizers must be a list of at most 100 parts, at most 8 deep/,
    ],
    [
      'part of a list',
      smallest({ normalizer: { type: 'Sequence', normalizers: [7] } }),
      /normalizer\.normalizers\[0\] must be null or an object/,
    ],
    [
      'a misspelt special token',
      smallest({ post_processor: template({ special_tokens: { A: {} } }) }),
      /special_tokens\["a"\] must be token "a" with its id 0, it is missing/,
    ],
    [
      'another id of it',
      smallest({ post_processor: template({ special_tokens: { a: { ids: [1], tokens: ['a'] } } }) }),
      /must be token "a" with its id 0, it is \{"ids":\[1\]/,
    ],
    [
      'a template without its text',
      smallest({ post_processor: template({ single: [] }) }),
      /post_processor\.single must be a list of special tokens and of the text A/,
    ],
    [
      'a template without a pair',
      smallest({ post_processor: template({ pair: undefined }) }),
      /post_processor\.pair must be a list .* texts A and B, it is missing/,
    ],
    [
      'another id of [SEP]',
      smallest({ post_processor: { type: 'BertProcessing', sep: ['a', 1], cls: ['b', 1] } }),
      /post_processor: sep must be token "a" with its id 0/,
    ],
  ] as [string, object, RegExp][])('contradictions and nonsense: %s', (_, file, message) => {
    expect(() => createTokenizer(file, undefined)).toThrow(ModelFileError);
    expect(() => createTokenizer(file, undefined)).toThrow(message);
  });

  it.each(['normalizer', 'pre_tokenizer', 'post_processor', 'decoder'])(
    'an unknown %s: UnsupportedModelError',
    (part) => {
      const file = smallest({ [part]: { type: 'Magic' } });
      expect(() => createTokenizer(file, undefined)).toThrow(UnsupportedModelError);
      expect(() => createTokenizer(file, undefined)).toThrow(`${part}.type = "Magic" is not supported; known are `);
    },
  );

  it('a text that the tokenizer cannot encode is named, with the cause', () => {
    const noUnknown = createTokenizer({ model: { type: 'Unigram', vocab: [['a', 0]] } }, undefined);
    expect(() => noUnknown.encode('é')).toThrow(/no token for "é", and no unknown token/);
    const grow = { type: 'Replace', pattern: { String: 'a' }, content: 'a'.repeat(100) };
    const growing = smallest({ normalizer: { type: 'Sequence', normalizers: [grow, grow, grow, grow, grow] } });
    expect(() => createTokenizer(growing, undefined).encode('a'.repeat(1000))).toThrow(ModelFileError);
    expect(() => createTokenizer(growing, undefined).encode('a'.repeat(1000))).toThrow(
      /normalizer makes 100000 characters of 1000/,
    );
  });

  it('leaves gaps between ids alone', () => {
    const tokenizer = createTokenizer({ model: { ...bpe, vocab: { a: 5, b: 70_000 } } }, undefined);
    expect([...tokenizer.encode('ab').ids]).toEqual([5, 70_000]);
    expect([tokenizer.decodeToken(6), tokenizer.decodeToken(70_000)]).toEqual(['', 'b']);
  });

  it('ids that the model has no embedding for are refused', () => {
    const tokenizer = createTokenizer(added({ content: '[X]', id: 7 }), undefined);
    checkTokenIds(tokenizer, 8);
    expect(() => checkTokenIds(tokenizer, 7)).toThrow(ModelFileError);
    expect(() => checkTokenIds(tokenizer, 7)).toThrow(/token "\[X\]" has id 7, but .* embeddings for ids below 7 only/);
  });

  it('tokenizer_config.json that contradicts tokenizer.json: ModelFileError', () => {
    expect(() => createTokenizer(smallest({}), [])).toThrow(/tokenizer_config\.json does not hold a JSON object/);
    expect(() => createTokenizer(smallest({}), { mask_token: '[MASK]' })).toThrow(
      /tokenizer_config\.json: mask_token must be a token of tokenizer\.json, it is "\[MASK\]"/,
    );
  });

  it('BPE with word affixes: UnsupportedModelError', () => {
    const file = { model: { ...bpe, end_of_word_suffix: '</w>' } };
    expect(() => createTokenizer(file, undefined)).toThrow(UnsupportedModelError);
    expect(() => createTokenizer(file, undefined)).toThrow(/model\.end_of_word_suffix = "<\/w>" is not supported/);
  });
});
