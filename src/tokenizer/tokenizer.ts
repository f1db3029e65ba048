import type { Tokens } from '../api/calls';
import { ModelFileError, UnsupportedModelError } from '../api/errors';
import { isObject, type Json, shown } from '../formats/json-fields';
import { messageOf } from '../formats/read';
import { type AddedToken, addedTokenSplitter } from './added-tokens';
import { type PieceOptions, pieceSpans, readBytes, readPiece } from './align';
import { type AlignedText, alignedSlice, originalSpan, sliceAligned } from './aligned-text';
import { readMaskToken, readTokenizerFile, type TokenizerFile } from './files';
import { createModel } from './models';
import { createNormalizer } from './normalizer';
import { createPreTokenizer } from './pre-tokenizer';
import { checkSpecialTokens, cutToLength, readTemplate } from './template';
import type { Tokenizer, Truncation } from './types';
import { type Span, trimSpan } from './white-space';

/** Tokens by columns. */
interface Columns {
  ids: number[];
  tokens: string[];
  offsets: Span[];
  /** Of each token, the index of its word; -1 of a special token that a template adds. */
  words: number[];
}

/** A token of a pre-token, and which part of that it stands for. */
interface Piece {
  id: number;
  token: string;
  from: number;
  to: number;
}

/**
 * Regular expressions and functions are compiled when they are first used, those for texts beyond Latin-1 by themselves. That takes 5 ms, which
 * the first query need not wait for.
 */
const WARM_UP = ["The text's 2 words.", 'Words – and 12 more'];

/** Pieces and pre-tokens that are kept, together, and UTF-16 units of the longest: 6 MB when full, 10 at the most. */
const CACHE = { entries: 65_536, units: 64 };

/**
 * A tokenizer from the parsed tokenizer.json and tokenizer_config.json (undefined if the checkpoint has none), with the ids of Hugging
 * Face's `tokenizers` 0.23 in Rust, part by part; only patterns are translated by `@huggingface/tokenizers`. `truncation` and `padding` of the
 * file are ignored: the model's limit and packing replace them. Throws a ModelFileError for files of the wrong shape, an UnsupportedModelError for what it does not know.
 */
export function createTokenizer(tokenizerJson: unknown, tokenizerConfig: unknown | undefined): Tokenizer {
  const tokenizer = named('', () => tokenizerOf(tokenizerJson, tokenizerConfig));
  try {
    for (const text of WARM_UP) tokenizer.encode(text);
  } catch {
    // It may know none of these characters.
  }
  return tokenizer;
}

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
  const normalize = createNormalizer(file.normalizer);
  const { pretokenize, spell } = createPreTokenizer(file.preTokenizer);
  const { pieces, display } = chooseSpelling(file);

  const { vocab, unk_id } = file.model;
  const added = new Map(file.addedTokens.map(({ content, id }) => [content, id]));
  const idOf = (token: string): number | undefined => vocab.get(token) ?? added.get(token);
  const inOriginal = file.addedTokens.filter((token) => !token.normalized);
  const inNormalized = file.addedTokens.filter((token) => token.normalized);
  const splitOriginal = addedTokenSplitter(inOriginal, (content) => content);
  const splitNormalized = addedTokenSplitter(inNormalized, (content) => normalize(alignedSlice(content)).text);
  const addedById = new Map(file.addedTokens.map((token) => [token.id, token]));
  checkSpecialTokens(file.postProcessor, idOf);
  const singleTemplate = readTemplate(file.postProcessor, false, idOf);
  const pairTemplate = readTemplate(file.postProcessor, true, idOf);
  // transformers passes on what model_input_names lists.
  const { model_input_names: inputs } = isObject(tokenizerConfig) ? tokenizerConfig : {};
  const hasTypes = !Array.isArray(inputs) || inputs.includes('token_type_ids');

  const tokenizeWord = createModel(file.model);

  const readPieces = (word: string): Piece[] => {
    const spelled = spell(alignedSlice(word));
    const tokens = tokenizeWord(spelled.text);
    const places = pieceSpans(spelled.text, tokens, pieces);
    return tokens.map((token, i) => {
      // Tokens outside the vocabulary come from Unigram, which leaves it to us to replace them by the unknown token.
      const id = vocab.get(token) ?? unk_id;
      if (id === undefined)
        throw new ModelFileError(`tokenizer.json: no token for ${shown(token)}, and no unknown token`);
      const [from, to] = originalSpan(spelled, ...places[i]);
      return { id, token, from, to };
    });
  };

  const cache = new Map<string, Piece[]>();
  let cached = 0;
  const piecesOf = (word: string): Piece[] => {
    const known = cache.get(word);
    if (known) return known;
    // A part of a string can hold on to all of it: the copy does not.
    const own = ` ${word}`.slice(1);
    const found = readPieces(own);
    if (own.length <= CACHE.units) {
      cached += found.length + 1;
      if (cached > CACHE.entries) {
        cache.clear();
        cached = found.length + 1;
      }
      cache.set(own, found);
    }
    return found;
  };

  const encodePlain = (aligned: AlignedText, original: string, into: Columns, firstWord: number): number => {
    const { text, spans } = pretokenize(aligned);
    for (let w = 0; w < spans.length; w++) {
      const start = spans[w][0];
      const found = piecesOf(text.text.slice(start, spans[w][1]));
      for (let i = 0; i < found.length; i++) {
        const { id, token, from, to } = found[i];
        const span = originalSpan(text, start + from, start + to);
        const trimmed = trimSpan(original, span);
        into.ids.push(id);
        into.tokens.push(token);
        into.offsets.push(trimmed[0] < trimmed[1] ? trimmed : span);
        into.words.push(firstWord + w);
      }
    }
    return firstWord + spans.length;
  };

  const encodeText = (given: string | readonly string[], into: Columns = columns()): Columns => {
    if (Array.isArray(given)) {
      for (const [word, text] of given.entries()) {
        const before = into.ids.length;
        encodeText(text, into).words.fill(word, before);
      }
      return into;
    }
    if (typeof given !== 'string')
      throw new TypeError(`encode: the text is of type ${typeof given}, expected a string`);
    return named('it cannot encode this text: ', () => encodeString(given, into));
  };

  const encodeString = (given: string, into: Columns): Columns => {
    // A lone surrogate has no UTF-8; the platform's encoder writes it as U+FFFD, of the same length.
    const text = given.toWellFormed();
    let word = 0;
    const add = ({ id, content }: AddedToken, offset: Span) => {
      into.ids.push(id);
      into.tokens.push(content);
      into.offsets.push(offset);
      into.words.push(word++);
    };
    for (const section of splitOriginal(text)) {
      if (section.token) {
        add(section.token, [section.from, section.to]);
        continue;
      }
      const aligned = normalize(alignedSlice(text, section.from, section.to));
      for (const { from, to, token } of splitNormalized(aligned.text)) {
        if (token) add(token, originalSpan(aligned, from, to));
        else word = encodePlain(sliceAligned(aligned, from, to), text, into, word);
      }
    }
    return into;
  };

  // One query has many documents, and one premise many hypotheses.
  let lastFirst: { text: string; encoded: Columns } | undefined;
  const encodeAgain = (text: string | readonly string[]): Columns => {
    if (typeof text !== 'string') return encodeText(text);
    if (lastFirst?.text !== text) lastFirst = { text, encoded: encodeText(text) };
    return lastFirst.encoded;
  };

  const encode = (
    text: string | readonly string[],
    pair?: string | readonly string[],
    maxTokens = Number.POSITIVE_INFINITY,
    truncation?: Truncation,
  ): Tokens => {
    const template = pair === undefined ? singleTemplate : pairTemplate;
    const specialCount = template.filter((item) => 'id' in item).length;
    const room = maxTokens - specialCount;
    if (!(room >= 0)) {
      throw new RangeError(`encode: maxTokens is ${maxTokens}, less than the ${specialCount} special tokens`);
    }
    const texts = pair === undefined ? [encodeText(text)] : [encodeAgain(text), encodeText(pair)];
    const lengths = cutToLength(
      texts.map(({ ids }) => ids.length),
      room,
      truncation,
    );
    const parts = template.map((item) =>
      'text' in item
        ? { text: texts[item.text], length: lengths[item.text], sequence: item.text, type: item.type }
        : {
            text: { ids: [item.id], tokens: [item.token], offsets: [[0, 0]], words: [-1] },
            length: 1,
            sequence: -1,
            type: item.type,
          },
    );
    // Whole columns at a time: a look at each token would cost as much as finding it.
    const column = <K extends keyof Columns>(key: K): Columns[K] =>
      parts.reduce<unknown[]>((all, { text, length }) => all.concat(text[key].slice(0, length)), []) as Columns[K];
    const ids = new Uint32Array(column('ids'));
    const sequenceIds = new Int32Array(ids.length);
    const tokenTypeIds = new Uint32Array(ids.length);
    let at = 0;
    for (const { length, sequence, type } of parts) {
      sequenceIds.fill(sequence, at);
      if (hasTypes) tokenTypeIds.fill(type, at);
      at += length;
    }
    return {
      ids,
      tokens: column('tokens'),
      offsets: column('offsets'),
      wordIds: new Int32Array(column('words')),
      sequenceIds,
      tokenTypeIds,
    };
  };

  let last: Tokenizer['last'];
  for (const [id, token] of file.model.tokens) if (!last || id > last.id) last = { token, id };
  for (const { id, content: token } of file.addedTokens) if (!last || id > last.id) last = { token, id };
  const maskToken = readMaskToken(tokenizerConfig, (token) => idOf(token) !== undefined);
  return {
    encode,
    decodeToken(id) {
      if (!Number.isInteger(id) || id < 0) throw new RangeError(`decodeToken: ${id} is not a token id`);
      return addedById.get(id)?.content ?? display(file.model.tokens.get(id) ?? '');
    },
    tokenId: idOf,
    last,
    maskTokenId: maskToken === undefined ? undefined : idOf(maskToken),
    maskToken,
  };
}

const columns = (): Columns => ({ ids: [], tokens: [], offsets: [], words: [] });

const spaceOf = ({ replacement }: Json): string => String(replacement ?? '▁');

/** How the tokenizer's family spells text, from its pre-tokenizer, decoder and model. */
function chooseSpelling({ model, preTokenizer, decoder }: TokenizerFile) {
  const fusesUnknown = model.type === 'Unigram' || model.fuse_unk;
  const pieces: PieceOptions = {
    byteFallback: model.byte_fallback,
    continuingPrefix: model.type === 'WordPiece' ? model.continuing_subword_prefix : '',
    unkToken: model.type === 'Unigram' ? undefined : model.unk_token,
    unkCovers: model.type === 'WordPiece' ? 'word' : fusesUnknown ? 'run' : 'character',
  };
  if (preTokenizer.some(({ type }) => type === 'ByteLevel')) return { pieces, display: readBytes };
  const metaspace = preTokenizer.find(({ type }) => type === 'Metaspace');
  const space = metaspace ? spaceOf(metaspace) : decodedSpace(decoder);
  return { pieces, display: (token: string) => readPiece(token, pieces, space) };
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
