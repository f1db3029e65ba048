import type { Tokens } from '../api/calls';
import type { Kind, MultiVector, MultiVectorOptions } from '../api/embeddings';
import { ModelFileError, wrongChoice } from '../api/errors';
import { CALL_OPTIONS, type OptionNames } from '../api/options';
import { tokenEmbeddings } from '../model/heads/embeddings';
import { type Expansion, type MultiVectorConfig, multiVectorLength } from '../model/multi-vector';
import type { Tokenizer } from '../tokenizer/types';
import { type Call, oneOrMany } from './call';
import { chainOf, wrongOutput } from './chain-of';
import { encode, type ItemPart, type Parts, tokenizerOf } from './common';
import { embeddingsOf } from './embeddings-of';
import { PROMPT_OPTIONS, promptOf } from './prompts';
import { poolTokens } from './token-pooling';

const OPTIONS: OptionNames<MultiVectorOptions> = {
  ...CALL_OPTIONS,
  ...PROMPT_OPTIONS,
  kind: true,
  maxTokens: true,
  poolFactor: true,
};

export const embedMultiVector: Call = { options: OPTIONS, run: oneOrMany(embedTexts) };

/**
 * As sentence-transformers' MultiVectorEncoder and PyLate do it: the prompt and the text, with PyLate's prefix token after [CLS]. A query is
 * then filled up with mask tokens; tokens on the skip list get no embedding, and a document's may be pooled.
 */
async function embedTexts(parts: Parts, texts: string[], options: MultiVectorOptions): Promise<MultiVector[]> {
  const { config, sentence, submit, where } = parts;
  const { multiVector } = sentence;
  if (!multiVector) throw wrongOutput('embedMultiVector needs a multi-vector (ColBERT) checkpoint', sentence);
  const kind = options?.kind;
  if (kind !== 'query' && kind !== 'document') {
    throw wrongChoice('kind', ['query', 'document'], kind);
  }
  const chain = chainOf(kind, parts);
  const tokenizer = tokenizerOf(parts);
  const prefixes = prefixOf(multiVector.prefixes[kind], kind, tokenizer, where);
  const limit = config.max_position_embeddings;
  const maxTokens = options.maxTokens ?? multiVectorLength(multiVector, kind, parts.info.maxTokens, limit);
  if (!Number.isInteger(maxTokens) || maxTokens <= prefixes.length || maxTokens > limit) {
    throw new RangeError(
      `maxTokens must be an integer above ${prefixes.length} and at most the model's ${limit}, it is ${maxTokens}.`,
    );
  }
  const expansion =
    kind === 'query' ? expansionOf(multiVector.expansion, options.maxTokens, tokenizer, where) : undefined;
  const sees = config.windows.reduce((least, window) => Math.min(least, window || Infinity), Infinity);
  const isScored = scoredTokens(multiVector, kind, tokenizer);
  const pooling = poolingOf(options.poolFactor, multiVector, kind);
  const head = tokenEmbeddings(chain, multiVector.normalizes);
  const embeddingSpace = parts.spaces.of({ pooling: 'tokens', dim: chain.columns });

  const results: MultiVector[] = [];
  const itemOf = (tokens: Tokens, i: number): ItemPart => {
    const length = tokens.ids.length + prefixes.length;
    if (length > maxTokens) {
      throw new RangeError(
        `Text ${i} has ${length} tokens with its prefix; a ${kind} may have ${maxTokens}. Shorten it, or pass truncate: true or a larger maxTokens.`,
      );
    }
    const { ids, offsets } = insert(tokens, prefixes);
    const filled = new Uint32Array(Math.max(length, expansion?.length ?? 0)).fill(expansion?.id ?? 0);
    filled.set(ids);
    const keys = expansion?.attend ? filled.length : length;
    if (filled.length - keys > sees) {
      throw new RangeError(
        `Text ${i} has ${keys} tokens and would be filled up to ${filled.length}, but some layers attend to only ${sees} tokens on each side: the last mask tokens would see no token of the text. Pass a smaller maxTokens.`,
      );
    }
    const rows = Uint32Array.from(filled.keys()).filter((row) => isScored(filled[row]));
    return {
      ids: filled,
      keys,
      wanted: [
        {
          head,
          rows,
          deliver(data, width) {
            const pooled = poolTokens(data, width, pooling);
            const first = (cluster: number[]) => rows[cluster[0]];
            results[i] = {
              ...embeddingsOf<'float32'>({
                data: pooled.data,
                rows: pooled.clusters.length,
                dim: width,
                embeddingSpace,
              }),
              ids: Uint32Array.from(pooled.clusters, (cluster) => filled[first(cluster)]),
              offsets: pooled.clusters.map((cluster) => offsets[first(cluster)] ?? [0, 0]),
            };
          },
        },
      ],
    };
  };
  const { strips } = sentence;
  const prompt = promptOf(options, parts);
  const items = await encode(parts, texts, options, itemOf, {
    maxTokens: maxTokens - prefixes.length,
    limit,
    prompt,
    strips,
  });
  await submit(items, { signal: options.signal, onProgress: options.onProgress });
  return results;
}

/** The token that stands for a kind of text: none, or one. */
function prefixOf(prefix: string, kind: Kind, tokenizer: Tokenizer, where: string): number[] {
  if (prefix === '') return [];
  const id = tokenizer.tokenId(prefix);
  if (id !== undefined) return [id];
  throw new ModelFileError(
    `tokenizer.json in ${where} has no token '${prefix}', which is the checkpoint's ${kind}_prefix.`,
  );
}

/** The tokens with `prefixes` after the first, which is [CLS]. */
function insert({ ids, offsets }: Tokens, prefixes: number[]): Pick<Tokens, 'ids' | 'offsets'> {
  return {
    ids: Uint32Array.from([ids[0], ...prefixes, ...ids.subarray(1)]),
    offsets: [offsets[0], ...prefixes.map((): [number, number] => [0, 0]), ...offsets.slice(1)],
  };
}

/** What a query is filled up with, and to how many tokens. */
function expansionOf(expansion: Expansion | undefined, asked: number | undefined, tokenizer: Tokenizer, where: string) {
  if (!expansion) return undefined;
  const { attend, token, length } = expansion;
  const id = token === undefined ? tokenizer.maskTokenId : tokenizer.tokenId(token);
  if (id !== undefined) return { attend, id, length: asked ?? length };
  throw new ModelFileError(
    `The tokenizer of ${where} has no ${token === undefined ? 'mask token' : `token '${token}'`} to expand queries with.`,
  );
}

/** Whether a token has an embedding. Words of the skip list that are not single tokens are left out. */
function scoredTokens(multiVector: MultiVectorConfig, kind: Kind, tokenizer: Tokenizer): (id: number) => boolean {
  const { skiplist_words, skiplist_tasks, keep_only_token_ids } = multiVector;
  const words = skiplist_tasks.includes(kind) ? skiplist_words : [];
  const skipped = new Set(words.map((word) => tokenizer.tokenId(word)));
  const kept = kind === 'document' && keep_only_token_ids && new Set(keep_only_token_ids);
  return (id) => !skipped.has(id) && (!kept || kept.has(id));
}

/** How this kind of text is pooled; undefined if not at all. */
function poolingOf(asked: number | undefined, { pooling }: MultiVectorConfig, kind: Kind) {
  if (asked !== undefined && !(asked >= 1)) {
    throw new RangeError(`poolFactor must be a number of at least 1, it is ${asked}.`);
  }
  const isOwn = pooling?.tasks.includes(kind);
  if (asked === undefined) return isOwn ? pooling : undefined;
  const usual = { num_protected_tokens: 1, normalize_embeddings: true };
  return kind === 'document' || isOwn ? { ...usual, ...pooling, pool_factor: asked } : undefined;
}
