import { isObject, type Json } from '../formats/json-fields';
import { isAbsent, isText, unsupportedTokenizer, wrongTokenizer } from './wrong';

/** What a field must be, and whether a value is. */
type Rule = [what: string, isRight: (value: unknown) => boolean];

const flag: Rule = ['true or false', (value) => isAbsent(value) || typeof value === 'boolean'];
/** Longer ones would let a Sequence of a few parts blow a text up. */
const text: Rule = ['a string of at most 100 characters', (value) => isText(value, 100)];
const textOrNone: Rule = ['a string', (value) => isAbsent(value) || typeof value === 'string'];
const oneOf = (...names: string[]): Rule => [
  `one of ${names.join(', ')}`,
  (value) => isAbsent(value) || names.includes(value as string),
];
const pattern: Rule = [
  '{"String": …} or {"Regex": …}',
  (value) => isObject(value) && isText(value.String ?? value.Regex, 10_000) && Object.keys(value).length === 1,
];
const idOfToken: Rule = [
  'a token and its id',
  (value) => Array.isArray(value) && value.length === 2 && typeof value[0] === 'string',
];
const behavior = oneOf('Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous');
const isCharacter = (value: unknown): boolean => typeof value === 'string' && [...value].length === 1;
const character: Rule = ['one character', isCharacter];
const space: Rule = [
  'one character of at most U+FFFF',
  (value) => isAbsent(value) || (isCharacter(value) && (value as string).length === 1),
];
const length: Rule = ['a positive integer', (value) => Number.isSafeInteger(value) && (value as number) > 0];
const byteLevel = { add_prefix_space: flag, trim_offsets: flag, use_regex: flag };
const metaspace = {
  replacement: space,
  prepend_scheme: oneOf('always', 'never', 'first'),
  split: flag,
  add_prefix_space: flag,
};
const replace = { pattern, content: text };

/** A template: each text once, and special tokens. */
const template = (...texts: string[]): Rule => [
  `a list of special tokens and of the text${texts.length > 1 ? 's' : ''} ${texts.join(' and ')}`,
  (value) => {
    if (!Array.isArray(value) || value.length > 100) return false;
    const idsOf = (kind: string) =>
      value.flatMap((item) => (isObject(item) && isObject(item[kind]) ? [item[kind].id] : []));
    const special = idsOf('SpecialToken');
    const sequences = idsOf('Sequence');
    return (
      special.length + sequences.length === value.length &&
      special.every((id) => typeof id === 'string') &&
      sequences.sort().join() === texts.join()
    );
  },
];

/** A component of tokenizer.json: the field that lists the parts of a Sequence, and the fields of each type. */
const COMPONENTS: Record<string, { list: string; types: Record<string, Record<string, Rule>> }> = {
  normalizer: {
    list: 'normalizers',
    types: {
      BertNormalizer: { clean_text: flag, handle_chinese_chars: flag, lowercase: flag, strip_accents: flag },
      Precompiled: { precompiled_charsmap: textOrNone },
      Replace: replace,
      NFC: {},
      NFD: {},
      NFKC: {},
      NFKD: {},
      Strip: { strip_left: flag, strip_right: flag },
      StripAccents: {},
      Lowercase: {},
      Prepend: { prepend: text },
      Nmt: {},
    },
  },
  pre_tokenizer: {
    list: 'pretokenizers',
    types: {
      BertPreTokenizer: {},
      Whitespace: {},
      WhitespaceSplit: {},
      Metaspace: metaspace,
      ByteLevel: byteLevel,
      Split: { pattern, behavior, invert: flag },
      Punctuation: { behavior },
      Digits: { individual_digits: flag },
      CharDelimiterSplit: { delimiter: character },
      FixedLength: { length },
    },
  },
  post_processor: {
    list: 'processors',
    types: {
      TemplateProcessing: {
        single: template('A'),
        pair: template('A', 'B'),
        special_tokens: ['an object', (value) => isAbsent(value) || isObject(value)],
      },
      ByteLevel: byteLevel,
      BertProcessing: { sep: idOfToken, cls: idOfToken },
      RobertaProcessing: { sep: idOfToken, cls: idOfToken, trim_offsets: flag, add_prefix_space: flag },
    },
  },
  // Only what spells a space is read of it.
  decoder: {
    list: 'decoders',
    types: {
      ...Object.fromEntries(
        ['ByteLevel', 'WordPiece', 'BPEDecoder', 'CTC', 'Fuse', 'Strip', 'ByteFallback'].map((type) => [type, {}]),
      ),
      Metaspace: metaspace,
      Replace: replace,
    },
  },
};

const MOST_PARTS = 100;

/** The parts of a component, those of its Sequences in order. Throws what readTokenizerFile throws. */
export function readComponent(json: Json, kind: string): Json[] {
  const { list, types } = COMPONENTS[kind];
  const walk = (part: unknown, path: string, depth: number): Json[] => {
    if (isAbsent(part)) return [];
    if (!isObject(part) || typeof part.type !== 'string') {
      throw wrongTokenizer(path, part, 'null or an object with a type');
    }
    if (part.type === 'Sequence') {
      const inner = part[list];
      if (!Array.isArray(inner) || inner.length > MOST_PARTS || depth > 8) {
        throw wrongTokenizer(`${path}.${list}`, inner, `a list of at most ${MOST_PARTS} parts, at most 8 deep`);
      }
      return inner.flatMap((each: unknown, i) => walk(each, `${path}.${list}[${i}]`, depth + 1));
    }
    if (!Object.hasOwn(types, part.type)) {
      throw unsupportedTokenizer(`${path}.type`, part.type, `known are ${Object.keys(types).join(', ')}`);
    }
    for (const [field, [what, isRight]] of Object.entries(types[part.type])) {
      if (!isRight(part[field])) throw wrongTokenizer(`${path}.${field}`, part[field], what);
    }
    return [part];
  };
  const parts = walk(json[kind], kind, 0);
  if (parts.length > MOST_PARTS) throw wrongTokenizer(kind, json[kind], `a list of at most ${MOST_PARTS} parts`);
  return parts;
}
