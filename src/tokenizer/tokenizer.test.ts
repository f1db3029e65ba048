import { describe, expect, it } from 'vitest';
import { modernbertFile, nanoFile, nanoGolden, smallest } from './fixtures/load';
import { createTokenizer } from './tokenizer';

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

  it('have added tokens of one character beside longer ones, also at the end', () => {
    const added_tokens = ['!', '\ufffd', '!?', '😀', 'bb'].map((content, i) => ({
      id: 10 + i,
      content,
      special: true,
    }));
    const tokenizer = createTokenizer(smallest({ added_tokens }), undefined);
    const ids = (text: string) => [...tokenizer.encode(text).ids];
    expect(ids('a!b!?bba!')).toEqual([0, 10, 1, 12, 14, 0, 10]);
    expect(ids('!\ud800😀b!a')).toEqual([10, 11, 13, 1, 10, 0]);
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
    ...['match', 'normalize', 'replaceAll', 'split', 'toLowerCase', 'toWellFormed'].map((name) =>
      count(String.prototype, name, whole),
    ),
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

  it('keeps the pieces of a limited number of words', () => {
    const { set } = Map.prototype;
    let [most, kept] = [0, 0];
    Map.prototype.set = function (key, value) {
      set.call(this, key, value);
      most = Math.max(most, this.size);
      kept++;
      return this;
    };
    try {
      for (let i = 0; i < 40; i++)
        modernbert.encode(Array.from({ length: 1000 }, (_, j) => ` ${i * 1000 + j}q`).join(''));
    } finally {
      Map.prototype.set = set;
    }
    expect(kept).toBeGreaterThan(39_000);
    expect(most).toBeGreaterThan(1000);
    expect(most).toBeLessThanOrEqual(32_768);
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
