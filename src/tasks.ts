import type {
  CallOptions,
  Candidate,
  Embeddings,
  LabelScore,
  MaskResult,
  Model,
  ModelInfo,
  Pooling,
  Task,
  TokenLabel,
  Tokens,
} from './api';
import { ModelFileError, UnsupportedModelError } from './errors';
import { checkLength, createForward, TASK_NAMES } from './forward';
import type { ModelConfig } from './model/config';
import type { Item } from './scheduler';
import type { Tokenizer } from './tokenizer/types';

interface Parts {
  config: ModelConfig;
  info: ModelInfo;
  tokenizer: Tokenizer | undefined;
  /** The checkpoint's place, for messages. */
  where: string;
  submit(items: Item[], signal?: AbortSignal): Promise<void>;
}

/** The calls of a Model: text in, typed results out. Each makes its sequences' items and waits for their passes. */
export function modelCalls(parts: Parts): Omit<Model, 'info' | 'memory' | 'dispose'> {
  const { config, info, submit } = parts;

  function tokenizer(): Tokenizer {
    if (parts.tokenizer) return parts.tokenizer;
    throw new ModelFileError(
      `There is no tokenizer.json in ${parts.where}: this model takes token ids only (forward).`,
    );
  }

  /** The texts' tokens. Throws TypeError or RangeError for what cannot be run. */
  function encode(texts: string[], truncate = false): Tokens[] {
    if (texts.length === 0) throw new RangeError('There are no texts: the list is empty.');
    return texts.map((text, i) => {
      if (typeof text !== 'string')
        throw new TypeError(`Text ${i} is not a string but ${text === null ? 'null' : typeof text}.`);
      if (text === '') throw new RangeError(`Text ${i} is empty.`);
      const tokens = tokenizer().encode(text, undefined, truncate ? info.maxTokens : undefined);
      checkLength(info, tokens.ids.length, `Text ${i}`);
      return tokens;
    });
  }

  function needs(task: Task, call: string): void {
    if (info.task !== task) {
      throw new UnsupportedModelError(
        `${call} needs a ${TASK_NAMES[task]}; this checkpoint is a ${TASK_NAMES[info.task]}.`,
      );
    }
  }

  async function fillMask(
    texts: string[],
    { signal, truncate, topK = 5 }: CallOptions & { topK?: number } = {},
  ): Promise<MaskResult[][]> {
    needs('mlm', 'fillMask');
    if (!Number.isInteger(topK) || topK < 1 || topK > config.vocab_size) {
      throw new RangeError(`topK must be an integer from 1 to the vocabulary's ${config.vocab_size}, it is ${topK}.`);
    }
    const { maskTokenId, maskToken } = tokenizer();
    if (maskTokenId === undefined) throw new ModelFileError(`The tokenizer of ${parts.where} has no mask token.`);
    const results: MaskResult[][] = [];
    const items = encode(texts, truncate).map(({ ids, offsets }, i): Item => {
      const rows = Uint32Array.from(ids.keys()).filter((row) => ids[row] === maskTokenId);
      if (rows.length === 0) throw new RangeError(`Text ${i} has no ${maskToken}: there is nothing to fill.`);
      return {
        ids,
        wanted: [
          {
            head: { kind: 'top_k', k: topK },
            rows,
            deliver(data, width) {
              const words = new Uint32Array(data.buffer, data.byteOffset, data.length);
              results[i] = Array.from(rows, (row, m) => ({
                index: row,
                start: offsets[row][0],
                end: offsets[row][1],
                candidates: Array.from({ length: topK }, (_, c): Candidate => {
                  const tokenId = words[m * width + 2 * c];
                  return { token: tokenizer().decodeToken(tokenId), tokenId, score: data[m * width + 2 * c + 1] };
                }),
              }));
            },
          },
        ],
      };
    });
    await submit(items, signal);
    return results;
  }

  async function embed(
    texts: string | string[],
    {
      signal,
      truncate,
      pooling = info.pooling,
      normalize = true,
    }: CallOptions & { pooling?: Pooling; normalize?: boolean } = {},
  ): Promise<Embeddings> {
    if (pooling !== 'mean' && pooling !== 'cls')
      throw new RangeError(`pooling must be 'mean' or 'cls', it is '${pooling}'.`);
    const list = typeof texts === 'string' ? [texts] : texts;
    const dim = config.hidden_size;
    const data = new Float32Array(list.length * dim);
    const items = encode(list, truncate).map(
      ({ ids }, i): Item => ({
        ids,
        wanted: [{ head: { kind: 'pooled', pooling, normalize }, deliver: (row) => data.set(row, i * dim) }],
      }),
    );
    await submit(items, signal);
    return { data, rows: list.length, dim, row: (i) => data.subarray(i * dim, (i + 1) * dim) };
  }

  async function classify(texts: string[], { signal, truncate }: CallOptions = {}): Promise<LabelScore[][]> {
    needs('seqcls', 'classify');
    const results: LabelScore[][] = [];
    const items = encode(texts, truncate).map(
      ({ ids }, i): Item => ({
        ids,
        wanted: [
          {
            head: { kind: 'sequence_logits' },
            deliver(logits) {
              const scores = config.multi_label ? Array.from(logits, sigmoid) : softmax(logits);
              results[i] = info.labels
                .map((label, l) => ({ label, score: scores[l] }))
                .sort((a, b) => b.score - a.score);
            },
          },
        ],
      }),
    );
    await submit(items, signal);
    return results;
  }

  async function classifyTokens(texts: string[], { signal, truncate }: CallOptions = {}): Promise<TokenLabel[][]> {
    needs('tokcls', 'classifyTokens');
    const results: TokenLabel[][] = [];
    const items = encode(texts, truncate).map(({ ids, tokens, offsets }, i): Item => {
      // Tokens that the post-processor added ([CLS], [SEP]) have no place in the text.
      const rows = Uint32Array.from(ids.keys()).filter((row) => offsets[row][1] > 0);
      results[i] = [];
      return {
        ids,
        wanted: [
          {
            head: { kind: 'logits' },
            rows,
            deliver(logits, width) {
              results[i] = Array.from(rows, (row, r): TokenLabel => {
                const scores = softmax(logits.subarray(r * width, (r + 1) * width));
                const best = scores.indexOf(Math.max(...scores));
                const [start, end] = offsets[row];
                return { token: tokens[row], index: row, start, end, label: info.labels[best], score: scores[best] };
              });
            },
          },
        ],
      };
    });
    await submit(items, signal);
    return results;
  }

  async function tokenize(text: string, pair?: string): Promise<Tokens> {
    if (typeof text !== 'string') throw new TypeError(`The text is not a string but ${typeof text}.`);
    return tokenizer().encode(text, pair);
  }

  return {
    fillMask: oneOrMany(fillMask) as Model['fillMask'],
    embed,
    classify: oneOrMany(classify) as Model['classify'],
    classifyTokens: oneOrMany(classifyTokens) as Model['classifyTokens'],
    forward: createForward(config, info, submit),
    tokenize,
  };
}

/** A single text gives a single result. */
const oneOrMany =
  <O, R>(many: (texts: string[], options?: O) => Promise<R[]>) =>
  async (texts: string | string[], options?: O): Promise<R | R[]> =>
    typeof texts === 'string' ? (await many([texts], options))[0] : many(texts, options);

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

function softmax(logits: Float32Array): number[] {
  const most = Math.max(...logits);
  const powers = Array.from(logits, (x) => Math.exp(x - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / sum);
}
