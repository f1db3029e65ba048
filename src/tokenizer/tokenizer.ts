import {
  ByteLevelPreTokenizer,
  MetaspacePreTokenizer,
  SequenceNormalizer,
  SequencePostProcessor,
  SequencePreTokenizer,
} from '@huggingface/tokenizers';
import type { Tokens } from '../api/calls';
import { ModelFileError, UnsupportedModelError } from '../api/errors';
import { isObject, type Json, shown } from '../formats/json-fields';
import { messageOf } from '../formats/read';
import { addedTokenSplitter } from './added-tokens';
import { aligner, byteLevelSpelling, type PieceOptions, type Spelling, textSpelling } from './align';
import { type AlignedText, alignedSlice, originalSpan, type Span, sliceAligned, trimSpan } from './aligned-text';
import { checkPatterns } from './backtracking';
import { readMaskToken, readTokenizerFile, type TokenizerFile } from './files';
import { createModel } from './models';
import { alignNormalizer } from './normalizer';
import { checkSpecialTokens, cutToLength, readTemplate } from './template';
import type { Tokenizer, Truncation } from './types';

interface Token {
  id: number;
  token: string;
  offset: Span;
}

// The library's own pattern has JavaScript's `\s`, which differs from the Rust code's at U+0085 and U+FEFF.
const byteLevelPattern =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/**
 * A tokenizer from the parsed tokenizer.json and tokenizer_config.json (undefined if the checkpoint has none). Normalizers and pre-tokenizers
 * are those of `@huggingface/tokenizers`; models, added tokens and offsets, which it lacks, finds differently from Hugging Face's Rust code or
 * takes long for, are our own. `truncation` and `padding` of the file are ignored: the model's limit and packing replace them. Throws a
 * ModelFileError for files of the wrong shape, an UnsupportedModelError for what it does not know.
 */
export const createTokenizer = (tokenizerJson: unknown, tokenizerConfig: unknown | undefined): Tokenizer =>
  named('', () => tokenizerOf(tokenizerJson, tokenizerConfig));

/**
 * Throws a ModelFileError if a token's id is not below `vocab_size`, config.json's: the model has no embedding for it, and would compute
 * something else for a text with that token.
 */
export function checkTokenIds({ last }: Pick<Tokenizer, 'last'>, vocab_size: number): void {
  if (!last || last.id < vocab_size) return;
  throw new ModelFileError(
    `tokenizer.json: token ${shown(last.token)} has id ${last.id}, but by config.json (vocab_size) the model has embeddings for ids below ${vocab_size} only. The tokenizer is of another model, or the embeddings were not resized for it.`,
  );
}

/** Everything that `run` throws is one of the library's errors. */
function named<T>(doing: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof ModelFileError || cause instanceof UnsupportedModelError) throw cause;
    throw new ModelFileError(`tokenizer.json: ${doing}${messageOf(cause)}`, { cause });
  }
}

function tokenizerOf(tokenizerJson: unknown, tokenizerConfig: unknown | undefined): Tokenizer {
  const file = readTokenizerFile(tokenizerJson);
  const { normalizer, preTokenizer, postProcessor } = build(file);
  const normalize = alignNormalizer(normalizer);
  const spelling = chooseSpelling(file);
  const metaspace = metaspaceOf(file);
  // Metaspace cuts the text before every "▁" unless told not to. The library replaces spaces but never cuts.
  const cutBefore = metaspace && metaspace.split !== false ? spaceOf(metaspace) : undefined;

  const { vocab, unk_token } = file.model;
  const unknownId = unk_token === undefined ? undefined : vocab.get(unk_token);
  const added = new Map(file.addedTokens.map(({ content, id }) => [content, id]));
  const idOf = (token: string): number | undefined => vocab.get(token) ?? added.get(token);
  const inOriginal = file.addedTokens.filter((token) => !token.normalized);
  const inNormalized = file.addedTokens.filter((token) => token.normalized);
  const splitOriginal = addedTokenSplitter(inOriginal, (content) => content);
  const splitNormalized = addedTokenSplitter(inNormalized, (content) => normalizer.normalize(content));
  const addedById = new Map(file.addedTokens.map((token) => [token.id, token]));
  checkSpecialTokens(file.postProcessor, idOf);
  const singleTemplate = readTemplate(postProcessor, false, idOf);
  const pairTemplate = readTemplate(postProcessor, true, idOf);

  const pretokenize = (text: string, isFirst: boolean): string[] => {
    // The library takes index 0 to mean "the text begins here" (Metaspace's prepend_scheme "first").
    const words = preTokenizer.pre_tokenize(text, { section_index: isFirst ? 0 : 1 });
    return cutBefore === undefined ? words : words.flatMap((word) => wordsBefore(word, cutBefore));
  };
  const tokenizeWord = createModel(file.model);

  const encodePlain = (aligned: AlignedText, original: string, into: Token[]): void => {
    const align = aligner(aligned.text, spelling);
    for (const word of pretokenize(aligned.text, aligned.starts[0] === 0)) {
      const tokens = tokenizeWord(word);
      const spans = align(word, tokens);
      for (const [i, token] of tokens.entries()) {
        // Tokens outside the vocabulary come from Unigram, which leaves it to us to replace them by the unknown token.
        const id = vocab.get(token) ?? unknownId;
        if (id === undefined)
          throw new ModelFileError(`tokenizer.json: no token for ${shown(token)}, and no unknown token`);
        const span = originalSpan(aligned, ...spans[i]);
        const [from, to] = trimSpan(original, span);
        into.push({ id, token, offset: from < to ? [from, to] : span });
      }
    }
  };

  const encodeText = (given: string): Token[] => {
    if (typeof given !== 'string')
      throw new TypeError(`encode: the text is of type ${typeof given}, expected a string`);
    return named('it cannot encode this text: ', () => encodeString(given));
  };

  const encodeString = (given: string): Token[] => {
    // A lone surrogate has no UTF-8; the platform's encoder writes it as U+FFFD, of the same length.
    const text = given.replace(/\p{Surrogate}/gu, '\ufffd');
    const encoded: Token[] = [];
    for (const section of splitOriginal(text)) {
      if (section.token) {
        encoded.push({ id: section.token.id, token: section.token.content, offset: [section.from, section.to] });
        continue;
      }
      const aligned = normalize(alignedSlice(text, section.from, section.to));
      for (const { from, to, token } of splitNormalized(aligned.text)) {
        if (token) encoded.push({ id: token.id, token: token.content, offset: originalSpan(aligned, from, to) });
        else encodePlain(sliceAligned(aligned, from, to), text, encoded);
      }
    }
    return encoded;
  };

  // One query has many documents, and one premise many hypotheses.
  let lastFirst: { text: string; encoded: Token[] } | undefined;
  const encodeAgain = (text: string): Token[] => {
    if (lastFirst?.text !== text) lastFirst = { text, encoded: encodeText(text) };
    return lastFirst.encoded;
  };

  const encode = (
    text: string,
    pair?: string,
    maxTokens = Number.POSITIVE_INFINITY,
    truncation?: Truncation,
  ): Tokens => {
    const template = pair === undefined ? singleTemplate : pairTemplate;
    const room = roomIn(template, maxTokens);
    const texts = pair === undefined ? [encodeText(text)] : [encodeAgain(text), encodeText(pair)];
    const lengths = cutToLength(
      texts.map(({ length }) => length),
      room,
      truncation,
    );
    const all = template.flatMap((item): Token | Token[] =>
      typeof item === 'number' ? texts[item].slice(0, lengths[item]) : { ...item, offset: [0, 0] },
    );
    return {
      ids: Uint32Array.from(all, ({ id }) => id),
      tokens: all.map(({ token }) => token),
      offsets: all.map(({ offset }) => offset),
    };
  };

  const encodeWords: Tokenizer['encodeWords'] = (words, maxTokens = Number.POSITIVE_INFINITY) => {
    const room = roomIn(singleTemplate, maxTokens);
    const own: { id: number; word: number }[] = [];
    for (let word = 0; word < words.length && own.length < room; word++) {
      for (const { id } of encodeText(words[word])) own.push({ id, word });
    }
    own.length = Math.min(own.length, room);
    const all = singleTemplate.flatMap((item) => (typeof item === 'number' ? own : { id: item.id, word: -1 }));
    return { ids: Uint32Array.from(all, ({ id }) => id), words: Int32Array.from(all, ({ word }) => word) };
  };

  let last: Tokenizer['last'];
  for (const [id, token] of file.model.tokens) if (!last || id > last.id) last = { token, id };
  for (const { id, content: token } of file.addedTokens) if (!last || id > last.id) last = { token, id };
  const maskToken = readMaskToken(tokenizerConfig, (token) => idOf(token) !== undefined);
  return {
    encode,
    encodeWords,
    decodeToken(id) {
      if (!Number.isInteger(id) || id < 0) throw new RangeError(`decodeToken: ${id} is not a token id`);
      return addedById.get(id)?.content ?? spelling.display(file.model.tokens.get(id) ?? '');
    },
    tokenId: idOf,
    last,
    maskTokenId: maskToken === undefined ? undefined : idOf(maskToken),
    maskToken,
  };
}

/** How many tokens there can be beside the special ones. */
function roomIn(template: unknown[], maxTokens: number): number {
  const specialCount = template.filter((item) => typeof item !== 'number').length;
  const room = maxTokens - specialCount;
  if (room >= 0) return room;
  throw new RangeError(`encode: maxTokens is ${maxTokens}, less than the ${specialCount} special tokens`);
}

/** The library's components. */
function build(file: TokenizerFile) {
  // The library exports no other way to make components by type; its Tokenizer would bring all decoders along.
  const normalizer = new SequenceNormalizer({ normalizers: file.normalizer } as never);
  const preTokenizer = new SequencePreTokenizer({ pretokenizers: file.preTokenizer } as never);
  const postProcessor = new SequencePostProcessor({ processors: file.postProcessor } as never);
  checkPatterns('normalizer', normalizer.normalizers);
  checkPatterns('pre_tokenizer', preTokenizer.tokenizers);
  const metaspace = metaspaceOf(file);
  const hasNoPrefix = metaspace?.prepend_scheme === undefined && metaspace?.add_prefix_space === false;
  for (const part of preTokenizer.tokenizers) {
    if (part instanceof ByteLevelPreTokenizer) part.pattern = byteLevelPattern;
    // The field's older spelling, which the library does not read.
    if (part instanceof MetaspacePreTokenizer && hasNoPrefix) part.prepend_scheme = 'never';
  }
  return { normalizer, preTokenizer, postProcessor };
}

const metaspaceOf = ({ preTokenizer }: TokenizerFile): Json | undefined =>
  preTokenizer.find(({ type }) => type === 'Metaspace');

const spaceOf = ({ replacement }: Json): string => String(replacement ?? '▁');

/** How the tokenizer's family spells text, from its pre-tokenizer, decoder and model. */
function chooseSpelling(file: TokenizerFile): Spelling {
  const { model } = file;
  const fusesUnknown = model.type === 'Unigram' || model.fuse_unk;
  const options: PieceOptions = {
    byteFallback: model.byte_fallback,
    continuingPrefix: model.type === 'WordPiece' ? model.continuing_subword_prefix : '',
    unkToken: model.type === 'Unigram' ? undefined : model.unk_token,
    unkCovers: model.type === 'WordPiece' ? 'word' : fusesUnknown ? 'run' : 'character',
  };
  if (file.preTokenizer.some(({ type }) => type === 'ByteLevel')) return byteLevelSpelling(options);
  const metaspace = metaspaceOf(file);
  return textSpelling(options, metaspace ? spaceOf(metaspace) : decodedSpace(file.decoder), metaspace !== undefined);
}

/** What the decoder turns into a space (Gemma: Replace "▁" by " "). */
function decodedSpace(decoder: Json[]): string | undefined {
  for (const part of decoder) {
    const { type, pattern, content } = part;
    if (type === 'Metaspace') return spaceOf(part);
    if (type === 'Replace' && content === ' ' && isObject(pattern) && typeof pattern.String === 'string') {
      return pattern.String;
    }
  }
  return undefined;
}

function wordsBefore(text: string, mark: string): string[] {
  const [first, ...others] = text.split(mark);
  const words = others.map((word) => mark + word);
  return first === '' ? words : [first, ...words];
}
