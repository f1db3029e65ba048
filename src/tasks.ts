import type {
  CallOptions,
  Candidate,
  Embeddings,
  ForwardOptions,
  LabelScore,
  MaskResult,
  Model,
  ModelInfo,
  OutputName,
  Pooling,
  Task,
  Tensor,
  TokenBatch,
  TokenLabel,
  Tokens,
} from './api';
import { ModelFileError, UnsupportedModelError } from './errors';
import { sequencesOf, streamRows } from './forward-input';
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
    throw new ModelFileError(`There is no tokenizer.json in ${parts.where}: this model takes token ids only (forward).`);
  }

  /** The texts' tokens. Throws TypeError or RangeError for what cannot be run. */
  function encode(texts: string[], truncate = false): Tokens[] {
    if (texts.length === 0) throw new RangeError('There are no texts: the list is empty.');
    return texts.map((text, i) => {
      if (typeof text !== 'string') throw new TypeError(`Text ${i} is not a string but ${text === null ? 'null' : typeof text}.`);
      if (text === '') throw new RangeError(`Text ${i} is empty.`);
      const tokens = tokenizer().encode(text, undefined, truncate ? info.maxTokens : undefined);
      checkLength(tokens.ids.length, `Text ${i}`);
      return tokens;
    });
  }

  function checkLength(length: number, what: string): void {
    if (length > info.maxTokens) {
      throw new RangeError(`${what} has ${length} tokens, the model's limit is ${info.maxTokens}. Shorten it, or pass truncate: true.`);
    }
    if (length > info.maxTokensPerPass) {
      throw new RangeError(`${what} has ${length} tokens, one pass on this device holds ${info.maxTokensPerPass} (maxTokensPerPass).`);
    }
  }

  function needs(task: Task, call: string): void {
    if (info.task !== task) {
      throw new UnsupportedModelError(`${call} needs a ${TASK_NAMES[task]}; this checkpoint is ${articled(TASK_NAMES[info.task])}.`);
    }
  }

  async function fillMask(texts: string[], { signal, truncate, topK = 5 }: CallOptions & { topK?: number } = {}): Promise<MaskResult[][]> {
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
    { signal, truncate, pooling = info.pooling, normalize = true }: CallOptions & { pooling?: Pooling; normalize?: boolean } = {},
  ): Promise<Embeddings> {
    if (pooling !== 'mean' && pooling !== 'cls') throw new RangeError(`pooling must be 'mean' or 'cls', it is '${pooling}'.`);
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
              results[i] = info.labels.map((label, l) => ({ label, score: scores[l] })).sort((a, b) => b.score - a.score);
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

  async function forward(batch: TokenBatch, { outputs = ['last_hidden_state'], rows, signal, truncate = false }: ForwardOptions = {}) {
    const sequences = sequencesOf(batch, config.vocab_size, truncate ? info.maxTokens : undefined);
    sequences.forEach(({ ids }, i) => checkLength(ids.length, `Sequence ${i}`));
    const bySequence = info.task === 'seqcls';
    if (outputs.includes('logits') && info.task === 'encoder') {
      throw new UnsupportedModelError(`The output 'logits' needs a head; this checkpoint is ${articled(TASK_NAMES.encoder)}.`);
    }
    const { count, perSequence } = streamRows(sequences, rows);
    const stages = config.num_hidden_layers + 1;
    const hidden = config.hidden_size;
    const logits = info.task === 'mlm' ? config.vocab_size : info.labels.length;
    const shapes: Record<OutputName, number[]> = {
      last_hidden_state: [count, hidden],
      hidden_states: [stages, count, hidden],
      logits: [bySequence ? sequences.length : count, logits],
    };
    const result: Partial<Record<OutputName, Tensor>> = {};
    for (const name of outputs) {
      const shape = shapes[name];
      if (!shape) throw new RangeError(`Unknown output '${name}'; known are ${Object.keys(shapes).join(', ')}.`);
      result[name] = { data: new Float32Array(shape.reduce((a, b) => a * b, 1)), shape };
    }
    /** Puts the rows of one sequence where the caller wants them. */
    const place = (to: Float32Array, base: number, from: Float32Array, width: number, places: number[]) =>
      places.forEach((at, r) => {
        to.set(from.subarray(r * width, (r + 1) * width), (base + at) * width);
      });
    const items = sequences.map(({ ids }, s): Item => {
      const { rows: own, places } = perSequence[s];
      const item: Item = { ids, wanted: [] };
      const { last_hidden_state, hidden_states, logits: scores } = result;
      if (last_hidden_state && own.length > 0) {
        item.wanted.push({ head: { kind: 'hidden' }, rows: own, deliver: (data, width) => place(last_hidden_state.data, 0, data, width, places) });
      }
      if (scores && bySequence) {
        item.wanted.push({ head: { kind: 'sequence_logits' }, deliver: (data, width) => place(scores.data, 0, data, width, [s]) });
      } else if (scores && own.length > 0) {
        item.wanted.push({ head: { kind: 'logits' }, rows: own, deliver: (data, width) => place(scores.data, 0, data, width, places) });
      }
      if (hidden_states && own.length > 0) {
        item.hidden = {
          rows: own,
          deliver: (all) => all.forEach((state, stage) => place(hidden_states.data, stage * count, state, hidden, places)),
        };
      }
      return item;
    });
    await submit(
      items.filter((item) => item.wanted.length > 0 || item.hidden),
      signal,
    );
    return result;
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
    forward,
    tokenize,
  };
}

const TASK_NAMES: Record<Task, string> = {
  encoder: 'bare encoder without a head',
  mlm: 'masked language model',
  seqcls: 'sequence classifier',
  tokcls: 'token classifier',
};
const articled = (name: string): string => `a ${name}`;

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
