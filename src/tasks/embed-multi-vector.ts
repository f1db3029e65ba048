import type { MultiVector, MultiVectorOptions, Tokens } from '../api/calls';
import { ModelFileError, UnsupportedModelError, wrongChoice } from '../api/errors';
import { CALL_OPTIONS, type OptionNames } from '../api/options';
import { tokenEmbeddings } from '../model/heads/embeddings';
import type { MultiVectorConfig } from '../model/sentence';
import type { Tokenizer } from '../tokenizer/types';
import { type Call, oneOrMany } from './call';
import { encode, type ItemPart, type Parts, tokenizerOf } from './common';
import { embeddingsOf } from './embedding-precision';

const OPTIONS: OptionNames<MultiVectorOptions> = { ...CALL_OPTIONS, kind: true, maxTokens: true };

export const embedMultiVector: Call = { options: OPTIONS, run: oneOrMany(embedTexts) };

/**
 * As PyLate does it: [CLS], the prefix's token, the text, [SEP]. A query is then filled up with mask tokens; a document's tokens on the skip
 * list get no embedding.
 */
async function embedTexts(parts: Parts, texts: string[], options: MultiVectorOptions): Promise<MultiVector[]> {
  const { config, info, sentence, submit, where } = parts;
  const { multiVector } = sentence;
  if (!multiVector) {
    throw new UnsupportedModelError(
      'embedMultiVector needs a multi-vector (ColBERT) checkpoint; this one is not: use embed.',
    );
  }
  const kind = options?.kind;
  if (kind !== 'query' && kind !== 'document') {
    throw wrongChoice('kind', ['query', 'document'], kind);
  }
  const tokenizer = tokenizerOf(parts);
  const prefix = kind === 'query' ? multiVector.query_prefix : multiVector.document_prefix;
  const prefixId = prefix === '' ? undefined : tokenizer.tokenId(prefix);
  if (prefix !== '' && prefixId === undefined) {
    throw new ModelFileError(
      `tokenizer.json in ${where} has no token '${prefix}', which is the checkpoint's ${kind}_prefix.`,
    );
  }
  const prefixes = prefixId === undefined ? [] : [prefixId];
  const ownLength = kind === 'query' ? multiVector.query_length : multiVector.document_length;
  const maxTokens = options.maxTokens ?? Math.min(ownLength, info.maxTokens);
  if (!Number.isInteger(maxTokens) || maxTokens <= prefixes.length || maxTokens > info.maxTokens) {
    throw new RangeError(
      `maxTokens must be an integer above ${prefixes.length} and at most the model's ${info.maxTokens}, it is ${maxTokens}.`,
    );
  }
  const room = maxTokens - prefixes.length;
  const sees = config.windows.reduce((least, window) => Math.min(least, window || Infinity), Infinity);
  const skipped = kind === 'document' ? skipList(multiVector, tokenizer) : new Set<number>();

  const results: MultiVector[] = [];
  const itemOf = (tokens: Tokens, i: number): ItemPart => {
    const length = tokens.ids.length + prefixes.length;
    if (length > maxTokens) {
      throw new RangeError(
        `Text ${i} has ${length} tokens with its prefix; a ${kind} may have ${maxTokens}. Shorten it, or pass truncate: true or a larger maxTokens.`,
      );
    }
    const { ids, offsets } = insert(tokens, prefixes);
    const isExpanded = kind === 'query' && multiVector.do_query_expansion;
    const filled = isExpanded ? expand(ids, maxTokens, tokenizer, where) : ids;
    const keys = multiVector.attend_to_expansion_tokens ? filled.length : length;
    if (filled.length - keys > sees) {
      throw new RangeError(
        `Text ${i} has ${keys} tokens and would be filled up to ${filled.length}, but some layers attend to only ${sees} tokens on each side: the last mask tokens would see no token of the text. Pass a smaller maxTokens.`,
      );
    }
    const rows = Uint32Array.from(filled.keys()).filter((row) => !skipped.has(filled[row]));
    return {
      ids: filled,
      keys,
      wanted: [
        {
          head: tokenEmbeddings,
          rows,
          deliver(data, width) {
            results[i] = {
              ...embeddingsOf<'float32'>(data.slice(), rows.length, width),
              ids: Uint32Array.from(rows, (row) => filled[row]),
              offsets: Array.from(rows, (row) => offsets[row] ?? [0, 0]),
            };
          },
        },
      ],
    };
  };
  const items = await encode(parts, texts, options, itemOf, { maxTokens: room });
  await submit(items, { signal: options.signal, onProgress: options.onProgress });
  return results;
}

/** The tokens with `prefixes` after the first, which is [CLS]. */
function insert({ ids, offsets }: Tokens, prefixes: number[]): Pick<Tokens, 'ids' | 'offsets'> {
  return {
    ids: Uint32Array.from([ids[0], ...prefixes, ...ids.subarray(1)]),
    offsets: [offsets[0], ...prefixes.map((): [number, number] => [0, 0]), ...offsets.slice(1)],
  };
}

/** The query, filled up to `length` with mask tokens. */
function expand(ids: Uint32Array, length: number, { maskTokenId }: Tokenizer, where: string): Uint32Array {
  if (maskTokenId === undefined)
    throw new ModelFileError(`The tokenizer of ${where} has no mask token to expand with.`);
  const filled = new Uint32Array(length).fill(maskTokenId);
  filled.set(ids);
  return filled;
}

/** The ids of the list's words that are single tokens. */
const skipList = ({ skiplist_words }: MultiVectorConfig, tokenizer: Tokenizer): Set<number> =>
  new Set(skiplist_words.map((word) => tokenizer.tokenId(word)).filter((id) => id !== undefined));
