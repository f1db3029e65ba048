import { describe, expect, it } from 'vitest';
import { ModelFileError, UnsupportedModelError } from '../api/errors';
import { modernbertFile, nanoFile, nanoGolden } from './fixtures/load';
import { checkTokenIds, createTokenizer } from './tokenizer';

const modernbert = createTokenizer(modernbertFile(), undefined);
const idsOf = (text: string, pair?: string, maxTokens?: number) => [...modernbert.encode(text, pair, maxTokens).ids];

describe('ids', () => {
  it("are those of Hugging Face's tokenizers for ModernBERT's known text", () => {
    expect(idsOf('The capital of France is [MASK].')).toEqual([50281, 510, 5347, 273, 6181, 310, 50284, 15, 50282]);
  });

  it("are those of Hugging Face's tokenizers for nano's texts", () => {
    const nano = createTokenizer(nanoFile('tokenizer.json'), nanoFile('tokenizer_config.json'));
    for (const { text, input_ids } of nanoGolden()) expect([...nano.encode(text).ids]).toEqual(input_ids);
  });

  it('join a pair by the pair template, an empty one too', () => {
    const inner = (text: string) => idsOf(text).slice(1, -1);
    expect(idsOf('What is it?', 'A cat.')).toEqual([50281, ...inner('What is it?'), 50282, ...inner('A cat.'), 50282]);
    expect(idsOf('A', '')).toEqual([50281, ...inner('A'), 50282, 50282]);
    expect(idsOf('')).toEqual([50281, 50282]);
  });

  it('have the longest added token, in the normalised text if tokenizer.json says so', () => {
    expect(idsOf(`${' '.repeat(25)}x`).slice(1, -1)).toEqual([50254, ...idsOf(' x').slice(1, -1)]);
    expect(idsOf('[unused71][CLS][PAD]').slice(1, -1)).toEqual([50356, 50281, 50283]);
  });

  it('are cut to maxTokens with the special tokens kept, the longer of a pair first', () => {
    const [long, short] = ['a b c d e f g h i j', 'x y'];
    const inner = (text: string, count: number) => idsOf(text).slice(1, 1 + count);
    expect(idsOf(long, undefined, 5)).toEqual([50281, ...inner(long, 3), 50282]);
    expect(idsOf(long, short, 8)).toEqual([50281, ...inner(long, 3), 50282, ...inner(short, 2), 50282]);
    expect(idsOf(short, long, 8)).toEqual([50281, ...inner(short, 2), 50282, ...inner(long, 3), 50282]);
    expect(idsOf(long, long, 10)).toEqual([50281, ...inner(long, 3), 50282, ...inner(long, 4), 50282]);
    expect(idsOf(short, undefined, 100)).toEqual(idsOf(short));
    expect(modernbert.encode(long, undefined, 5).offsets).toHaveLength(5);
    expect(modernbert.encode(long, undefined, 5).tokens).toEqual(['[CLS]', 'a', 'Ġb', 'Ġc', '[SEP]']);
    expect(() => modernbert.encode('a', undefined, 1)).toThrow(/maxTokens is 1, less than the 2 special/);
    expect(() => modernbert.encode('a', undefined, Number.NaN)).toThrow(RangeError);
  });

  it('of a pair are cut in one text alone on request, which keeps at least one token', () => {
    const [long, short] = ['a b c d e f g h i j', 'x y'];
    const ids = (first: string, second: string, ...rest: [number, 'only_first' | 'only_second']) => {
      const [, ...all] = modernbert.encode(first, second, ...rest).ids;
      const end = all.indexOf(50282);
      return [all.slice(0, end), all.slice(end + 1, -1)].map((part) => part.length);
    };
    expect(ids(long, short, 8, 'only_first')).toEqual([3, 2]);
    expect(ids(short, long, 8, 'only_second')).toEqual([2, 3]);
    expect(ids(long, long, 14, 'only_second')).toEqual([10, 1]);
    expect(ids(short, short, 8, 'only_second')).toEqual([2, 2]);
    expect(() => ids(long, short, 13, 'only_second')).toThrow(
      /first text has 10 tokens, which leaves none of 10 for the other/,
    );
    expect(() => ids(long, short, 5, 'only_first')).toThrow(/second text has 2 tokens/);
  });

  it('of several calls are independent, with the same or another first text of a pair', () => {
    const pairs = [
      ['a', 'b'],
      ['a', 'c'],
      ['d', 'c'],
      ['a', 'b'],
    ];
    const all = pairs.map(([text, pair]) => modernbert.encode(text, pair).tokens.join(' '));
    expect(all).toEqual(pairs.map(([text, pair]) => `[CLS] ${text} [SEP] ${pair} [SEP]`));
  });

  it('need a string', () => {
    expect(() => modernbert.encode(7 as unknown as string)).toThrow(/type number, expected a string/);
  });
});

describe('decodeToken', () => {
  const decoded = (text: string) => idsOf(text).map((id) => modernbert.decodeToken(id));

  it('returns tokens as readable text', () => {
    expect(decoded('Paris is [MASK].')).toEqual(['[CLS]', 'Paris', ' is', '[MASK]', '.', '[SEP]']);
    expect(decoded('in Paris')[2]).toBe(' Paris');
    expect(decoded('a\r\n\tb    c').slice(1, -1).join('')).toBe('a\r\n\tb    c');
    expect(modernbert.decodeToken(50276)).toBe('  ');
  });

  it('returns U+FFFD for incomplete UTF-8', () => {
    const { ids, offsets } = modernbert.encode('😀🫠');
    const shown = [...ids].map((id) => modernbert.decodeToken(id));
    expect(shown.slice(1, -1).some((token) => token.includes('\ufffd'))).toBe(true);
    expect(offsets.slice(1, -1).every(([start, end]) => (start === 0 && end === 2) || (start === 2 && end === 4))).toBe(
      true,
    );
  });

  it("returns '' for ids without a token and refuses invalid ids", () => {
    expect(modernbert.decodeToken(60000)).toBe('');
    for (const id of [-1, 0.5, Number.NaN]) expect(() => modernbert.decodeToken(id)).toThrow(RangeError);
  });
});

describe('the mask token', () => {
  it('has its usual name without tokenizer_config.json', () => {
    expect([modernbert.maskToken, modernbert.maskTokenId]).toEqual(['[MASK]', 50284]);
    const { maskToken, maskTokenId } = createTokenizer(modernbertFile(), { mask_token: null });
    expect([maskToken, maskTokenId]).toEqual(['[MASK]', 50284]);
  });

  it.each(['[unused0]', { content: '[unused0]', lstrip: true }])(
    'is named by tokenizer_config.json: %j',
    (mask_token) => {
      const { maskToken, maskTokenId } = createTokenizer(modernbertFile(), { mask_token });
      expect([maskToken, maskTokenId]).toEqual(['[unused0]', 50285]);
    },
  );

  it('is undefined if there is none', () => {
    const tokenizer = createTokenizer(smallest({}), undefined);
    expect([tokenizer.maskToken, tokenizer.maskTokenId]).toEqual([undefined, undefined]);
  });
});

it('special tokens are added only by a post-processor', () => {
  const tokenizer = createTokenizer(smallest({}), undefined);
  expect([...tokenizer.encode('ab').ids]).toEqual([0, 1]);
  expect([...tokenizer.encode('a', 'b').ids]).toEqual([0, 1]);
});

const smallest = (changes: object): object => ({
  model: { type: 'BPE', vocab: { a: 0, b: 1 }, merges: [] },
  ...changes,
});

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

/** Characters that methods of strings and regular expressions read while `run` runs: the number of passes over a text, whatever the machine. */
function charactersRead(run: () => void): number {
  let read = 0;
  const count = (prototype: object, name: string, cost: (text: string, args: unknown[], result: unknown) => number) => {
    const methods = prototype as Record<string, (...args: unknown[]) => unknown>;
    const original = methods[name];
    methods[name] = function (this: string, ...args) {
      const result = original.apply(this, args);
      read += cost(this, args, result);
      return result;
    };
    return () => Object.assign(methods, { [name]: original });
  };
  const one = () => 1;
  const whole = (text: string) => text.length;
  const restore = [
    count(String.prototype, 'charCodeAt', one),
    count(String.prototype, 'codePointAt', one),
    count(String.prototype, 'startsWith', (_, [start]) => String(start).length),
    count(
      String.prototype,
      'indexOf',
      (text, [, from = 0], at) => (at === -1 ? text.length : Number(at)) - Number(from),
    ),
    ...['normalize', 'replaceAll', 'split', 'toLowerCase'].map((name) => count(String.prototype, name, whole)),
    count(
      RegExp.prototype,
      'exec',
      (_, [text], match) => (match as RegExpExecArray | null)?.[0].length ?? whole(text as string),
    ),
  ];
  try {
    run();
  } finally {
    for (const undo of restore) undo();
  }
  return read;
}

describe('work', () => {
  const repeated = (unit: string) => (length: number) => unit.repeat(length / unit.length);
  const pieces = [
    ['<unk>', 0],
    ['▁', -1],
    ['a', -2],
    ['aa', -2.5],
    ['▁a', -3],
  ];
  const bytes = Object.fromEntries(
    Array.from({ length: 256 }, (_, i) => [`<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`, i + 3]),
  );
  const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always' };
  const others = {
    Unigram: { pre_tokenizer: metaspace, model: { type: 'Unigram', vocab: pieces, unk_id: 0 } },
    'Unigram of words': {
      pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, metaspace] },
      model: { type: 'Unigram', vocab: pieces, unk_id: 0 },
    },
    WordPiece: {
      model: {
        type: 'WordPiece',
        vocab: { '[UNK]': 0, a: 1, '##a': 2 },
        unk_token: '[UNK]',
        max_input_chars_per_word: 1000,
      },
    },
    'byte fallback': {
      model: {
        type: 'BPE',
        vocab: { a: 0, b: 1, '<unk>': 2, ...bytes },
        merges: [],
        unk_token: '<unk>',
        byte_fallback: true,
        fuse_unk: true,
      },
    },
  };
  it.each(
    Object.entries(others).flatMap(([kind, file]) =>
      ['a', 'é', 'a\n', 'a ', '👩‍👩‍👧', 'éa'].map((unit) => [kind, unit, file] as const),
    ),
  )('grows with the length, not with its square: %s of %j', (_, unit, file) => {
    const tokenizer = createTokenizer(file, undefined);
    const [short, long] = [8_000, 64_000].map((length) =>
      charactersRead(() => tokenizer.encode(repeated(unit)(length))),
    );
    expect(short).toBeGreaterThan(1000);
    expect(long / short).toBeLessThan(9);
  });

  it('a word of a million characters is no word too many', () => {
    const tokenizer = createTokenizer(others.Unigram, undefined);
    expect(tokenizer.encode('é'.repeat(500_000)).ids).toHaveLength(2);
    expect(tokenizer.encode('a'.repeat(1_000_000)).ids.length).toBeGreaterThan(400_000);
  });

  it.each([
    ['words', repeated('river the café 1234 running, über\n e\u0301te\u0301 日本 😀')],
    ['different words', (length: number) => Array.from({ length: length / 8 }, (_, i) => ` ${1e6 + i}`).join('')],
    ['one letter', repeated('a')],
    ['spaces', repeated(' ')],
    ['masks', repeated('[MASK]  ')],
    ['marks on one letter', (length: number) => `e${'\u0301'.repeat(length)}`],
    ['conjoining jamo', repeated('\u1100\u1161\u11a8')],
  ])('grows with the length, not with its square: %s', (_, text) => {
    const [short, long] = [4_000, 32_000].map((length) => charactersRead(() => modernbert.encode(text(length))));
    expect(short).toBeGreaterThan(4_000);
    expect(long / short).toBeLessThan(9);
  });
});
