import {
  BPE,
  ByteLevelPreTokenizer,
  MetaspacePreTokenizer,
  SequenceNormalizer,
  SequencePostProcessor,
  SequencePreTokenizer,
  Unigram,
  WordPiece,
} from '@huggingface/tokenizers';
import type { Tokens } from '../api/calls';
import { ModelFileError } from '../api/errors';
import { addedTokenSplitter } from './added-tokens';
import { aligner, byteLevelSpelling, type PieceOptions, type Spelling, textSpelling } from './align';
import { isJson, parts, readRoleToken, readTokenizerFile, type TokenizerFile } from './files';
import { type AlignedText, alignedSlice, alignNormalizer, originalSpan } from './normalizer';
import { cutToLength, readTemplate, specialCount, type TemplateItem } from './template';
import type { Tokenizer, Truncation } from './types';
import { isWhiteSpaceAt } from './unicode';

/** One text's tokens, without those of the post-processor. */
interface Encoded {
  ids: number[];
  tokens: string[];
  offsets: Tokens['offsets'];
}

// The library's own pattern has JavaScript's `\s`, which differs from the Rust code's at U+0085 and U+FEFF.
const byteLevelPattern =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/**
 * A tokenizer from the parsed tokenizer.json and tokenizer_config.json (undefined where a checkpoint has none). Normalizers,
 * pre-tokenizers and models are those of `@huggingface/tokenizers`; added tokens and offsets, which it lacks or finds
 * otherwise than Hugging Face's Rust code, are found here. `truncation` and `padding` of the file are ignored: the model's
 * limit and packing rule. Throws a ModelFileError for files of the wrong shape.
 */
export function createTokenizer(tokenizerJson: unknown, tokenizerConfig: unknown | undefined): Tokenizer {
  const file = readTokenizerFile(tokenizerJson);
  const { normalizer, preTokenizer, postProcessor, model } = build(file);
  const normalize = alignNormalizer(normalizer);
  const spelling = chooseSpelling(file);
  const cutBefore = metaspaceCut(file);
  const unigramBytes = file.model.type === 'Unigram' && file.model.byte_fallback === true;

  const idOf = (token: string): number | undefined => model.tokens_to_ids.get(token);
  const inOriginal = file.addedTokens.filter((token) => !token.normalized);
  const inNormalized = file.addedTokens.filter((token) => token.normalized);
  const splitOriginal = addedTokenSplitter(inOriginal, (content) => content);
  const splitNormalized = addedTokenSplitter(inNormalized, (content) => normalizer.normalize(content));
  const addedById = new Map(file.addedTokens.map((token) => [token.id, token]));
  const singleTemplate = readTemplate(postProcessor, false, idOf);
  const pairTemplate = readTemplate(postProcessor, true, idOf);

  const pretokenize = (text: string, isFirst: boolean): string[] => {
    // The library takes index 0 to mean "the text begins here" (Metaspace's prepend_scheme "first").
    const words = preTokenizer.pre_tokenize(text, { section_index: isFirst ? 0 : 1 });
    return cutBefore === undefined ? words : words.flatMap((word) => wordsBefore(word, cutBefore));
  };

  const tokenizeWord = (word: string): string[] => {
    const tokens = model._call([word]);
    return unigramBytes
      ? tokens.flatMap((token) => (idOf(token) === undefined ? byteTokens(token, idOf) : token))
      : tokens;
  };

  const encodePlain = (aligned: AlignedText, original: string, into: Encoded): void => {
    const align = aligner(aligned.text, spelling);
    for (const word of pretokenize(aligned.text, aligned.starts[0] === 0)) {
      const tokens = tokenizeWord(word);
      const spans = align(word, tokens);
      for (const [i, token] of tokens.entries()) {
        // Tokens that are not in the vocabulary come from Unigram, which leaves naming the unknown token to us.
        const id = idOf(token) ?? model.unk_token_id;
        if (id === undefined)
          throw new ModelFileError(`tokenizer.json: no token for ${JSON.stringify(token)}, and no unknown token`);
        into.ids.push(id);
        into.tokens.push(token);
        into.offsets.push(trimmed(original, originalSpan(aligned, ...spans[i])));
      }
    }
  };

  const encodeText = (given: string): Encoded => {
    if (typeof given !== 'string')
      throw new TypeError(`encode: the text is of type ${typeof given}, expected a string`);
    // A lone surrogate has no UTF-8; the platform's encoder writes it as U+FFFD, of the same length.
    const text = given.replace(/\p{Surrogate}/gu, '\ufffd');
    const encoded: Encoded = { ids: [], tokens: [], offsets: [] };
    const pushAdded = (id: number, token: string, span: [number, number]): void => {
      encoded.ids.push(id);
      encoded.tokens.push(token);
      encoded.offsets.push(span);
    };
    for (const section of splitOriginal(text)) {
      if (section.token) {
        pushAdded(section.token.id, section.token.content, [section.from, section.to]);
        continue;
      }
      const aligned = normalize(alignedSlice(text, section.from, section.to));
      for (const { from, to, token } of splitNormalized(aligned.text)) {
        if (token) pushAdded(token.id, token.content, originalSpan(aligned, from, to));
        else encodePlain(slice(aligned, from, to), text, encoded);
      }
    }
    return encoded;
  };

  // One query has many documents, and one premise many hypotheses.
  let lastFirst: { text: string; encoded: Encoded } | undefined;
  const encodeAgain = (text: string): Encoded => {
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
    const room = maxTokens - specialCount(template);
    if (!(room >= 0)) {
      throw new RangeError(`encode: maxTokens is ${maxTokens}, less than the ${specialCount(template)} special tokens`);
    }
    const texts = pair === undefined ? [encodeText(text)] : [encodeAgain(text), encodeText(pair)];
    const lengths = cutToLength(
      texts.map(({ ids }) => ids.length),
      room,
      truncation,
    );
    return fillTemplate(
      template,
      texts.map((encoded, i) => cut(encoded, lengths[i])),
    );
  };

  const mask = readRoleToken(tokenizerConfig, 'mask', idOf);
  return {
    encode,
    decodeToken(id) {
      if (!Number.isInteger(id) || id < 0) throw new RangeError(`decodeToken: ${id} is not a token id`);
      const added = addedById.get(id);
      return added ? added.content : spelling.display(model.vocab[id] ?? '');
    },
    tokenId: idOf,
    maskTokenId: mask?.id,
    maskToken: mask?.token,
    clsTokenId: readRoleToken(tokenizerConfig, 'cls', idOf)?.id,
    sepTokenId: readRoleToken(tokenizerConfig, 'sep', idOf)?.id,
    padTokenId: readRoleToken(tokenizerConfig, 'pad', idOf)?.id,
    specialIds: new Set(file.addedTokens.filter(({ special }) => special).map(({ id }) => id)),
  };
}

/** The library's components. It throws plain errors for types that it does not know. */
function build(file: TokenizerFile) {
  const { json } = file;
  try {
    // The library exports nothing else that makes components by their types; its Tokenizer would bring all decoders along.
    const normalizer = new SequenceNormalizer({ normalizers: parts(json.normalizer) } as never);
    const preTokenizer = new SequencePreTokenizer({ pretokenizers: parts(json.pre_tokenizer) } as never);
    const postProcessor = new SequencePostProcessor({ processors: parts(json.post_processor) } as never);
    for (const part of preTokenizer.tokenizers) {
      if (part instanceof ByteLevelPreTokenizer) part.pattern = byteLevelPattern;
      // The field's older spelling, which the library does not read.
      if (part instanceof MetaspacePreTokenizer && hasNoPrefix(file)) part.prepend_scheme = 'never';
    }
    const model = modelOf(file);
    for (const { content, id } of file.addedTokens) {
      model.tokens_to_ids.set(content, id);
      model.vocab[id] = content;
    }
    return { normalizer, preTokenizer, postProcessor, model };
  } catch (cause) {
    throw new ModelFileError(`tokenizer.json: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function modelOf({ model }: TokenizerFile): BPE | Unigram | WordPiece {
  if (model.type === 'BPE') return new BPE(model as never);
  // The second argument, the end of the text, is read by nothing.
  return model.type === 'Unigram' ? new Unigram(model as never, '') : new WordPiece(model as never);
}

/** The tokenizer's family, from its pre-tokenizer, decoder and model. */
function chooseSpelling({ json, model }: TokenizerFile): Spelling {
  const preTokenizers = parts(json.pre_tokenizer);
  const isWordPiece = model.type === 'WordPiece';
  const fusesUnknown = model.type === 'Unigram' || model.fuse_unk === true;
  const options: PieceOptions = {
    byteFallback: model.byte_fallback === true,
    continuingPrefix: isWordPiece ? String(model.continuing_subword_prefix ?? '##') : '',
    unkToken: typeof model.unk_token === 'string' ? model.unk_token : undefined,
    unkCovers: isWordPiece ? 'word' : fusesUnknown ? 'run' : 'character',
  };
  if (preTokenizers.some(({ type }) => type === 'ByteLevel')) return byteLevelSpelling(options);
  const metaspace = preTokenizers.find(({ type }) => type === 'Metaspace');
  return textSpelling({
    ...options,
    space: metaspace ? String(metaspace.replacement ?? '▁') : decodedSpace(json.decoder),
    spaceFromPreTokenizer: metaspace !== undefined,
  });
}

/** What the decoder turns into a space (Gemma: Replace "▁" by " "). */
function decodedSpace(decoder: unknown): string | undefined {
  for (const { type, pattern, content, replacement } of parts(decoder)) {
    if (type === 'Metaspace') return String(replacement ?? '▁');
    if (type === 'Replace' && content === ' ' && isJson(pattern) && typeof pattern.String === 'string') {
      return pattern.String;
    }
  }
  return undefined;
}

const hasNoPrefix = ({ json }: TokenizerFile): boolean =>
  parts(json.pre_tokenizer).some(
    (part) => part.type === 'Metaspace' && part.prepend_scheme === undefined && part.add_prefix_space === false,
  );

/** Before what Metaspace cuts the text: "▁", unless told not to. The library replaces spaces but never cuts. */
function metaspaceCut({ json }: TokenizerFile): string | undefined {
  const metaspace = parts(json.pre_tokenizer).find(({ type }) => type === 'Metaspace');
  return metaspace && metaspace.split !== false ? String(metaspace.replacement ?? '▁') : undefined;
}

function wordsBefore(text: string, mark: string): string[] {
  const [first, ...others] = text.split(mark);
  const words = others.map((word) => mark + word);
  return first === '' ? words : [first, ...words];
}

/** Unigram's byte fallback, which the library has for BPE only. All bytes of a text must be in the vocabulary. */
function byteTokens(text: string, idOf: (token: string) => number | undefined): string[] {
  const bytes = Array.from(new TextEncoder().encode(text), (byte) => {
    return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
  });
  return bytes.every((token) => idOf(token) !== undefined) ? bytes : [text];
}

const slice = ({ text, starts, ends }: AlignedText, from: number, to: number): AlignedText => ({
  text: text.slice(from, to),
  starts: starts.subarray(from, to),
  ends: ends.subarray(from, to),
});

/** A span without the whitespace at its ends; all of it where it has nothing else. */
function trimmed(text: string, [start, end]: [number, number]): [start: number, end: number] {
  let from = start;
  let to = end;
  while (from < to && isWhiteSpaceAt(text, from)) from++;
  while (to > from && isWhiteSpaceAt(text, to - 1)) to--;
  return from < to ? [from, to] : [start, end];
}

const cut = ({ ids, tokens, offsets }: Encoded, length: number): Encoded =>
  length === ids.length
    ? { ids, tokens, offsets }
    : { ids: ids.slice(0, length), tokens: tokens.slice(0, length), offsets: offsets.slice(0, length) };

function fillTemplate(template: readonly TemplateItem[], texts: readonly Encoded[]): Tokens {
  const filled = template.map(
    (item): Encoded =>
      typeof item === 'number' ? texts[item] : { ids: [item.id], tokens: [item.token], offsets: [[0, 0]] },
  );
  return {
    ids: Uint32Array.from(filled.flatMap(({ ids }) => ids)),
    tokens: filled.flatMap(({ tokens }) => tokens),
    offsets: filled.flatMap(({ offsets }) => offsets),
  };
}
