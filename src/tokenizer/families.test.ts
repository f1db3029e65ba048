import { describe, expect, it } from 'vitest';
import { createTokenizer } from './tokenizer';

/** Rows of [token, displayed token, covered text]. */
const rows = (file: object, text: string): [string, string, string][] => {
  const tokenizer = createTokenizer(file, undefined);
  const { ids, tokens, offsets } = tokenizer.encode(text);
  return tokens.map((token, i) => [token, tokenizer.decodeToken(ids[i]), text.slice(...offsets[i])]);
};

const vocabulary = (tokens: string[]): Record<string, number> =>
  Object.fromEntries(tokens.map((token, id) => [token, id]));
const byteTokens = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);

describe('BPE with byte fallback, as Gemma 2 and mmBERT have it', () => {
  const gemma = {
    added_tokens: [
      { id: 0, content: '<pad>', special: true },
      { id: 1, content: '<eos>', special: true },
      { id: 2, content: '<bos>', special: true },
      { id: 3, content: '<unk>', special: true },
      { id: 4, content: '<mask>', special: true, lstrip: true },
    ],
    normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
    pre_tokenizer: { type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithPrevious', invert: false },
    post_processor: {
      type: 'TemplateProcessing',
      single: [
        { SpecialToken: { id: '<bos>', type_id: 0 } },
        { Sequence: { id: 'A', type_id: 0 } },
        { SpecialToken: { id: '<eos>', type_id: 0 } },
      ],
      pair: [
        { Sequence: { id: 'A', type_id: 0 } },
        { SpecialToken: { id: '<eos>', type_id: 0 } },
        { Sequence: { id: 'B', type_id: 1 } },
      ],
      special_tokens: {},
    },
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
      ],
    },
    model: {
      type: 'BPE',
      unk_token: '<unk>',
      fuse_unk: true,
      byte_fallback: true,
      vocab: vocabulary([
        '<pad>',
        '<eos>',
        '<bos>',
        '<unk>',
        '<mask>',
        ...byteTokens,
        '▁',
        'a',
        'b',
        'ab',
        '▁ab',
        '▁▁',
        '<',
        '>',
        '0',
        'x',
        'E',
        '5',
      ]),
      merges: [
        ['a', 'b'],
        ['▁', '▁'],
        ['▁', 'ab'],
      ],
    },
  };

  it('has offsets for pieces, bytes and spaces', () => {
    expect(rows(gemma, 'ab ab   b五a😀 <mask>a')).toEqual([
      ['<bos>', '<bos>', ''],
      ['ab', 'ab', 'ab'],
      ['▁ab', ' ab', 'ab'],
      ['▁▁', '  ', '  '],
      ['▁', ' ', ' '],
      ['b', 'b', 'b'],
      ['<0xE4>', '\ufffd', '五'],
      ['<0xBA>', '\ufffd', '五'],
      ['<0x94>', '\ufffd', '五'],
      ['a', 'a', 'a'],
      ['<0xF0>', '\ufffd', '😀'],
      ['<0x9F>', '\ufffd', '😀'],
      ['<0x98>', '\ufffd', '😀'],
      ['<0x80>', '\ufffd', '😀'],
      ['<mask>', '<mask>', '<mask>'],
      ['a', 'a', 'a'],
      ['<eos>', '<eos>', ''],
    ]);
  });

  it('distinguishes written byte tokens from real ones, and repeated characters', () => {
    const shown = rows(gemma, '<0xE5>五五\n')
      .slice(1, -1)
      .map(([token, , part]) => `${token} ${part}`);
    expect(shown).toEqual([
      ...['< <', '0 0', 'x x', 'E E', '5 5', '> >'],
      ...['<0xE4> 五', '<0xBA> 五', '<0x94> 五', '<0xE4> 五', '<0xBA> 五', '<0x94> 五', '<0x0A> \n'],
    ]);
    expect(createTokenizer(gemma, undefined).encode('五五').offsets.slice(1, -1)).toEqual([
      ...Array(3).fill([0, 1]),
      ...Array(3).fill([1, 2]),
    ]);
  });

  it('has its mask token', () => {
    const { maskTokenId, maskToken } = createTokenizer(gemma, undefined);
    expect([maskTokenId, maskToken]).toEqual([4, '<mask>']);
  });

  it('without bytes covers what unknown tokens replace', () => {
    const model = { ...gemma.model, byte_fallback: false };
    expect(rows({ ...gemma, model }, 'a五😀五b 五').slice(1, -1)).toEqual([
      ['a', 'a', 'a'],
      ['<unk>', '<unk>', '五😀五'],
      ['b', 'b', 'b'],
      ['▁', ' ', ' '],
      ['<unk>', '<unk>', '五'],
    ]);
    const unfused = rows({ ...gemma, model: { ...model, fuse_unk: false } }, '五😀b');
    expect(unfused.slice(1, -1).map(([token, , part]) => [token, part])).toEqual([
      ['<unk>', '五'],
      ['<unk>', '😀'],
      ['b', 'b'],
    ]);
    const dropped = rows({ ...gemma, model: { ...model, unk_token: null } }, '五a😀b');
    expect(dropped.slice(1, -1).map(([token, , part]) => [token, part])).toEqual([['ab', 'a😀b']]);
  });
});

describe('Unigram with Metaspace', () => {
  const unigram = (model: object, metaspace: object) => ({
    added_tokens: [{ id: 0, content: '<s>', special: true }],
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', ...metaspace },
    model: {
      type: 'Unigram',
      unk_id: 1,
      vocab: [
        ['<s>', 0],
        ['<unk>', 0],
        ['▁', -3],
        ['▁a', -1],
        ['a', -2],
        ['b', -2],
        ['ab', -1.5],
        ...model_bytes(model),
      ],
      ...model,
    },
  });
  const model_bytes = (model: object) => ('byte_fallback' in model ? byteTokens.map((token) => [token, -20]) : []);

  it('has an empty span for a prefix that is not in the text', () => {
    expect(rows(unigram({}, { prepend_scheme: 'always' }), 'b a<s>b')).toEqual([
      ['▁', ' ', ''],
      ['b', 'b', 'b'],
      ['▁a', ' a', 'a'],
      ['<s>', '<s>', '<s>'],
      ['▁', ' ', ''],
      ['b', 'b', 'b'],
    ]);
    expect(createTokenizer(unigram({}, { prepend_scheme: 'always' }), undefined).encode('a<s>b').offsets).toEqual([
      [0, 1],
      [1, 4],
      [4, 4],
      [4, 5],
    ]);
  });

  it('reads the prefix scheme, in the older spelling too', () => {
    const tokens = (metaspace: object) => rows(unigram({}, metaspace), 'b<s>b').map(([token]) => token);
    expect(tokens({ prepend_scheme: 'first' })).toEqual(['▁', 'b', '<s>', 'b']);
    expect(tokens({ prepend_scheme: 'never' })).toEqual(['b', '<s>', 'b']);
    expect(tokens({ add_prefix_space: false })).toEqual(['b', '<s>', 'b']);
    expect(tokens({ add_prefix_space: true })).toEqual(['▁', 'b', '<s>', '▁', 'b']);
  });

  it('joins unknown characters to one unknown token per word', () => {
    const file = unigram({}, { prepend_scheme: 'always' });
    expect(rows(file, 'a五😀b 五').map(([token, , part]) => [token, part])).toEqual([
      ['▁a', 'a'],
      ['五😀', '五😀'],
      ['b', 'b'],
      ['▁', ' '],
      ['五', '五'],
    ]);
    expect([...createTokenizer(file, undefined).encode('a五😀b 五').ids]).toEqual([3, 1, 5, 2, 1]);
  });

  it('gives them the id that the file says, also if the unknown token is a piece once more', () => {
    const vocab = [
      ['<unk>', 0],
      ['a', -1],
      ['<unk>', -5],
    ];
    const tokenizer = createTokenizer({ model: { type: 'Unigram', unk_id: 0, vocab } }, undefined);
    expect([...tokenizer.encode('aéa').ids]).toEqual([1, 0, 1]);
  });

  it('writes them in bytes with byte_fallback, which the library lacks for Unigram', () => {
    const file = unigram({ byte_fallback: true }, { prepend_scheme: 'never' });
    expect(rows(file, 'a五é')).toEqual([
      ['a', 'a', 'a'],
      ['<0xE4>', '\ufffd', '五'],
      ['<0xBA>', '\ufffd', '五'],
      ['<0x94>', '\ufffd', '五'],
      ['<0xC3>', '\ufffd', 'é'],
      ['<0xA9>', '\ufffd', 'é'],
    ]);
  });
});

describe('WordPiece', () => {
  const wordpiece = {
    normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, lowercase: true },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      vocab: vocabulary(['[UNK]', 'run', '##ning', 'e', '!', '##e']),
    },
  };

  it('has offsets over dropped spaces, continued words and unknown words', () => {
    expect(rows(wordpiece, '  Running\u0007 xyz  É!  ee')).toEqual([
      ['run', 'run', 'Run'],
      ['##ning', 'ning', 'ning'],
      ['[UNK]', '[UNK]', 'xyz'],
      ['e', 'e', 'É'],
      ['!', '!', '!'],
      ['e', 'e', 'e'],
      ['##e', 'e', 'e'],
    ]);
  });
});

describe('WordPiece with everything that changes lengths', () => {
  const words = ['istanbul', 'e', '##tat', 'viet', 'office', 'σισυφοσ', '𠮷', 'a', '[unk]', ',', '.'];
  const file = (normalizer: object) => ({
    normalizer,
    pre_tokenizer: { type: 'BertPreTokenizer' },
    model: { type: 'WordPiece', unk_token: '[UNK]', vocab: vocabulary(['[UNK]', ...words]) },
  });
  const parts = (normalizer: object, text: string) =>
    rows(file(normalizer), text).map(([token, , part]) => [token, part]);
  const bert = { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, lowercase: true };

  it('has entities where they stand in the text', () => {
    expect(parts(bert, '  İSTANBUL, E\u0301tat. Vie\u0302\u0323t Viê\u0323t')).toEqual([
      ['istanbul', 'İSTANBUL'],
      [',', ','],
      ['e', 'E'],
      ['##tat', 'tat'],
      ['.', '.'],
      ['viet', 'Vie\u0302\u0323t'],
      ['viet', 'Viê\u0323t'],
    ]);
    expect(parts(bert, '\u0000\u200d𠮷𠮷ΣΊΣΥΦΟΣ\u200b a\u0085a')).toEqual([
      ['𠮷', '𠮷'],
      ['𠮷', '𠮷'],
      ['σισυφοσ', 'ΣΊΣΥΦΟΣ'],
      ['[UNK]', 'a\u0085a'],
    ]);
    const compatible = { type: 'Sequence', normalizers: [{ type: 'NFKC' }, bert] };
    expect(parts(compatible, 'Oﬃce, a…')).toEqual([
      ['office', 'Oﬃce'],
      [',', ','],
      ['a', 'a'],
      ['.', '…'],
      ['.', '…'],
      ['.', '…'],
    ]);
  });

  it('tells the letters of the unknown token from an unknown word', () => {
    const model = { type: 'WordPiece', unk_token: '[UNK]', vocab: vocabulary(['[UNK]', '##a', 'a']) };
    expect(rows({ model }, '[UNK]a').map(([token, , part]) => [token, part])).toEqual([
      ['[UNK]', '[UNK]'],
      ['##a', 'a'],
    ]);
    expect(rows({ model }, '[UNK]b').map(([token, , part]) => [token, part])).toEqual([['[UNK]', '[UNK]b']]);
  });
});

describe('byte-level BPE with a prefix space', () => {
  it('has an offset for the space only if the text has it', () => {
    const file = {
      pre_tokenizer: { type: 'ByteLevel', add_prefix_space: true, use_regex: true },
      model: { type: 'BPE', vocab: vocabulary(['Ġ', 'a', 'b', 'Ġa']), merges: ['Ġ a'] },
    };
    expect(rows(file, 'a b')).toEqual([
      ['Ġa', ' a', 'a'],
      ['Ġ', ' ', ' '],
      ['b', 'b', 'b'],
    ]);
    expect(createTokenizer(file, undefined).encode('b').offsets).toEqual([
      [0, 0],
      [0, 1],
    ]);
  });
});
