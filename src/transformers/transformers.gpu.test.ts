/** Every task of pipeline beside the real transformers.js on ONNX Runtime (CPU), with the same checkpoint. tools/onnx/export.py made the graphs. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as peer from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Model } from '../api/types';
import { publicModel } from '../model/fixtures/golden';
import { loadTestModel } from '../session/fixtures';
import { pipeline } from '../transformers';
import type { Pipeline, PipelineTasks, TokenEntity } from './types';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const ROOT = mkdtempSync(join(tmpdir(), 'modernbert-peer-'));
afterAll(() => rmSync(ROOT, { recursive: true }));

/** JSON files of a checkpoint, and what is changed in them. */
type Changes = Record<string, object>;

/** A checkpoint's folder below ROOT, as transformers.js reads it. */
function folderFor(checkpoint: string, changes: Changes): string {
  const isPublic = checkpoint.startsWith('nano');
  const from = isPublic ? publicModel(checkpoint as 'nano') : path(`../reference/fixtures/${checkpoint}`);
  const folder = mkdtempSync(join(ROOT, `${checkpoint}-`));
  cpSync(from, folder, { recursive: true });
  mkdirSync(join(folder, 'onnx'), { recursive: true });
  if (!isPublic) cpSync(path(`./fixtures/${checkpoint}.onnx`), join(folder, 'onnx/model.onnx'));
  cpSync(join(from, 'model.safetensors'), join(folder, 'onnx/model.safetensors'));
  for (const [file, change] of Object.entries(changes)) {
    const json = JSON.parse(readFileSync(join(from, file), 'utf8'));
    writeFileSync(join(folder, file), JSON.stringify({ ...json, ...change }));
  }
  return folder;
}

/** Both libraries' pipelines on one checkpoint. */
interface Both<T extends keyof PipelineTasks> {
  ours: Pipeline<T>;
  theirs: Pipeline<T>;
}

async function both<T extends PipelineTasks[keyof PipelineTasks]>(
  task: T,
  checkpoint: string,
  changes: Changes = {},
): Promise<Both<T>> {
  const folder = folderFor(checkpoint, changes);
  const ours = await pipeline(task, await loadTestModel(folder, { dtype: 'f32', arithmetic: 'f32' }));
  Object.assign(peer.env, { allowLocalModels: true, allowRemoteModels: false, localModelPath: `${ROOT}/` });
  const theirs = await peer.pipeline(task, basename(folder), { dtype: 'fp32' });
  return { ours, theirs: theirs as unknown as Pipeline<T> };
}

type Disposable = { dispose(): Promise<void> };
const end = ({ ours, theirs }: { ours: Disposable; theirs: Disposable }) =>
  Promise.all([ours.dispose(), theirs.dispose()]);

/** The same keys and nesting, the same texts, and numbers that differ by at most 5e-5 (hidden states: by 3e-5). */
function expectSame(got: unknown, want: unknown, where = 'the result'): void {
  if (typeof want === 'number') {
    expect(typeof got, where).toBe('number');
    expect(Math.abs((got as number) - want), `${where}: ${got} and ${want}`).toBeLessThanOrEqual(5e-5);
  } else if (typeof want === 'object' && want !== null) {
    expect(Array.isArray(got), where).toBe(Array.isArray(want));
    expect(Object.keys(got as object).sort(), where).toEqual(Object.keys(want).sort());
    for (const [key, value] of Object.entries(want)) {
      expectSame((got as Record<string, unknown>)[key], value, `${where}.${key}`);
    }
  } else expect(got, where).toBe(want);
}

/** A result with every object of it changed. */
const each = (result: unknown, change: (object: Record<string, unknown>) => object): unknown => {
  if (Array.isArray(result)) return result.map((part) => each(part, change));
  return change(result as Record<string, unknown>);
};
/** transformers.js does not fill these two. */
const withoutOffsets = ({ start: _, end: __, ...rest }: Record<string, unknown>) => rest;

const TEXTS = [
  'The harbour was closed because of the storm.',
  'A cat.',
  'What is the difference between a window and a global layer, and which of them sees the whole text at once?',
];
const LONG = Array.from({ length: 40 }, () => TEXTS[0]).join(' ');

/** The part of the long text that is its first `count` tokens. */
const textOf = async (model: Model, count: number) => LONG.slice(0, (await model.tokenize(LONG)).offsets[count][1]);

describe('feature-extraction', () => {
  let pair: Both<'feature-extraction'>;
  beforeAll(async () => {
    pair = await both('feature-extraction', 'nano-embed');
  });
  afterAll(() => end(pair));

  it.each([
    { pooling: 'mean' },
    { pooling: 'mean', normalize: true },
    { pooling: 'cls' },
    { pooling: 'first_token', normalize: true },
    { pooling: 'mean', quantize: true },
    { pooling: 'mean', normalize: true, quantize: true, precision: 'ubinary' },
  ] as const)('%j', async (options) => {
    for (const texts of [TEXTS[0], TEXTS]) {
      const [got, want] = [await pair.ours(texts, options), await pair.theirs(texts, options)];
      expect([got.dims, got.type, got.size, got.location]).toEqual([want.dims, want.type, want.size, want.location]);
      expectSame(got.tolist(), want.tolist());
    }
  });

  it.each(['eos', 'last_token'] as const)('pooling %s, of one text', async (pooling) => {
    const [got, want] = [await pair.ours(TEXTS[2], { pooling }), await pair.theirs(TEXTS[2], { pooling })];
    expectSame(got.tolist(), want.tolist());
  });

  it.each([{}, { normalize: true }, { pooling: 'none' }] as const)('%j: tokens, padded', async (options) => {
    const [one, other] = [await pair.ours(TEXTS[0], options), await pair.theirs(TEXTS[0], options)];
    expect(one.dims).toEqual(other.dims);
    expectSame(one.tolist(), other.tolist());
    const [got, want] = [await pair.ours(TEXTS, options), await pair.theirs(TEXTS, options)];
    expect([got.dims, got.type]).toEqual([want.dims, want.type]);
    for (const [i, text] of TEXTS.entries()) {
      const { length } = (await pair.ours.model.tokenize(text)).ids;
      const [rows, wanted] = [got[i].tolist(), want[i].tolist()];
      expectSame(rows.slice(0, length), wanted.slice(0, length));
      expect(
        rows
          .slice(length)
          .flat()
          .every((value) => value === 0),
      ).toBe(true);
    }
  });

  it('reads values as their Tensor does', async () => {
    const [got, want] = [await pair.ours(TEXTS), await pair.theirs(TEXTS)];
    for (const tensor of [got, want]) {
      expect(tensor[1].dims).toEqual([tensor.dims[1], 256]);
      expect([...tensor].map((row) => (row as typeof tensor).dims)).toEqual(TEXTS.map(() => tensor[0].dims));
      expect([...tensor[0][0]]).toEqual(Array.from(tensor.data.subarray(0, 256)));
      expect(tensor[-1][0].tolist()).toEqual(tensor[2][0].tolist());
      expect(tensor[0][0][3].dims).toEqual([]);
      expect(() => tensor[3]).toThrow();
    }
  });

  it('texts that are too long are cut, and end with their special token, which theirs lose', async () => {
    const short = await both('feature-extraction', 'nano-embed', {
      'tokenizer_config.json': { model_max_length: 9 },
      'sentence_bert_config.json': { max_seq_length: 9 },
    });
    const fits = await textOf(short.ours.model, 7);
    for (const options of [{}, { pooling: 'mean' }] as const) {
      const [got, want] = [await short.ours(LONG, options), await short.theirs(fits, options)];
      expect(got.dims).toEqual(want.dims);
      expectSame(got.tolist(), want.tolist());
      expectSame(got.tolist(), (await short.ours(fits, options)).tolist());
    }
    await end(short);
  });

  it('refuses what it does not know', async () => {
    const { ours } = pair;
    await expect(ours('a', { pooling: 'max' } as never)).rejects.toThrow(
      "pooling must be one of none, mean, cls, first_token, eos, last_token; it is 'max'.",
    );
    await expect(ours('a', { quantize: true })).rejects.toThrow('choose a pooling');
    await expect(ours('a', { pooling: 'mean', quantize: true, precision: 'int8' } as never)).rejects.toThrow(
      'precision',
    );
    await expect(ours('a', { pool: 'mean' } as never)).rejects.toThrow("has no option 'pool'");
  });
});

describe('fill-mask', () => {
  it('a byte-level tokenizer', async () => {
    const pair = await both('fill-mask', 'nano');
    const texts = ['The capital of France is [MASK].', 'Bread is made of [MASK], water and salt.'];
    expectSame(await pair.ours(texts[0]), await pair.theirs(texts[0]));
    expectSame(await pair.ours(texts), await pair.theirs(texts));
    expectSame(await pair.ours(texts[1], { top_k: 12 }), await pair.theirs(texts[1], { top_k: 12 }));
    expect(await pair.ours(texts[0], { top_k: 1 })).toMatchObject([
      { token_str: ' Paris', sequence: 'The capital of France is Paris.' },
    ]);
    await expect(pair.ours(['No mask.'])).rejects.toThrow('Text 0 has no [MASK]');
    await end(pair);
  });

  it('word pieces: strings are of the given text', async () => {
    const pair = await both('fill-mask', 'bert-mlm');
    const numbers = ({ score, token }: Record<string, unknown>) => ({ score, token });
    for (const texts of ['The [MASK] was closed.', ['A [MASK] [MASK].', 'The [MASK] was closed.']]) {
      expectSame(each(await pair.ours(texts), numbers), each(await pair.theirs(texts), numbers));
    }
    const [best] = await pair.ours('The [MASK] was closed.', { top_k: 1 });
    expect(best.sequence).toBe(`The ${best.token_str} was closed.`);
    await expect(pair.ours(`${LONG} [MASK]`)).rejects.toThrow('Text 0 has no [MASK] in its first 128 tokens.');
    await end(pair);
  });
});

describe('text-classification', () => {
  it.each(['bert-classifier', 'classify-multi-label'])('%s', async (checkpoint) => {
    const pair = await both('text-classification', checkpoint);
    for (const texts of [TEXTS[0], [TEXTS[1]], TEXTS]) {
      for (const options of [undefined, {}, { top_k: 1 }, { top_k: 2 }, { top_k: 10 }, { top_k: null }]) {
        expectSame(await pair.ours(texts, options), await pair.theirs(texts, options));
      }
    }
    const { model } = pair.ours;
    const fits = await textOf(model, model.info.maxTokens - 2);
    expectSame(await pair.ours([LONG, 'A cat.']), await pair.theirs([fits, 'A cat.']));
    await end(pair);
  });
});

describe('token-classification', () => {
  let pair: Both<'token-classification'>;
  beforeAll(async () => {
    pair = await both('token-classification', 'token-classifier');
  });
  afterAll(() => end(pair));

  const trimmed = ({ word, ...rest }: Record<string, unknown>) => ({ ...rest, word: String(word).trim() });

  it.each([{}, { ignore_labels: [] }, { ignore_labels: ['O', 'B-LOC'] }])('%j', async (options) => {
    for (const texts of [TEXTS[0], TEXTS]) {
      const got = await pair.ours(texts, options);
      expectSame(each(got, withoutOffsets), await pair.theirs(texts, options));
    }
    for (const { word, start, end } of await pair.ours(TEXTS[0]))
      expect(TEXTS[0].slice(start, end)).toBe(word.trim() || ' ');
  });

  it('aggregation_strategy simple', async () => {
    const options = { aggregation_strategy: 'simple', ignore_labels: [] as string[] } as const;
    for (const texts of [TEXTS[0], TEXTS]) {
      const [got, want] = [await pair.ours(texts, options), await pair.theirs(texts, options)];
      expectSame(
        each(got, (own) => trimmed(withoutOffsets(own))),
        each(want, trimmed),
      );
    }
  });

  it('entities do not reach over ignored tokens, which theirs do', async () => {
    const options = { aggregation_strategy: 'simple' } as const;
    const words = (found: TokenEntity[]) => found.map(({ word }) => word);
    expect(words(await pair.theirs(TEXTS[0], options))).toContain('os b'); // of "closed because"
    const own = await pair.ours(TEXTS[0], options);
    expect(words(own)).toEqual(expect.arrayContaining(['os', 'b']));
    for (const { word, start, end } of own) expect(TEXTS[0].slice(start, end)).toBe(word);
    const other = await pair.ours(TEXTS[0], { aggregation_strategy: 'first' });
    expect(words(other).every((word) => TEXTS[0].includes(word))).toBe(true);
  });
});

it('zero-shot-classification', async () => {
  const labels = ['contradiction', 'entailment', 'neutral'];
  const pair = await both('zero-shot-classification', 'cross-encoder-nli', {
    'config.json': {
      id2label: Object.fromEntries(labels.entries()),
      label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
    },
  });
  const candidates = ['a cat', 'harbours', 'layers'];
  for (const texts of [TEXTS[0], TEXTS]) {
    for (const options of [undefined, { multi_label: true }, { hypothesis_template: 'It is about {}' }]) {
      expectSame(await pair.ours(texts, candidates, options), await pair.theirs(texts, candidates, options));
    }
    expectSame(await pair.ours(texts, 'a cat'), await pair.theirs(texts, 'a cat'));
  }
  await end(pair);
});

it('question-answering: the answers are parts of the context', async () => {
  const pair = await both('question-answering', 'bert-answers');
  const contexts = [TEXTS[0], TEXTS[1], 'Bread is made of flour, water and salt.'];
  const questions = ['What was closed?', 'Who?', 'What is in it?'];
  /** Their answers are decoded tokens: in lower case, with the prefix of word pieces. */
  const decoded = ({ answer, score }: Record<string, unknown>) => ({
    answer: String(answer).toLowerCase().replace(/^##/, ''),
    score,
  });
  for (const options of [undefined, { top_k: 1 }, { top_k: 3 }]) {
    for (const i of contexts.keys()) {
      const got = await pair.ours(questions[i], contexts[i], options);
      expectSame(each(got, decoded), each(await pair.theirs(questions[i], contexts[i], options), decoded));
      for (const { answer, start, end } of [got].flat()) expect(contexts[i].slice(start, end)).toBe(answer);
    }
    const got = await pair.ours(questions.slice(0, 2), contexts.slice(0, 2), options);
    const want = await pair.theirs(questions.slice(0, 2), contexts.slice(0, 2), options);
    expectSame(each(got, decoded), each(want, decoded));
  }
  await end(pair);
});

it('calls can be aborted, and dispose frees the model', async () => {
  const { ours, theirs } = await both('text-classification', 'bert-classifier');
  await theirs.dispose();
  const reason = new Error('enough');
  await expect(ours(TEXTS, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  await ours.dispose();
  await expect(ours('A cat.')).rejects.toThrow('The model was disposed');
});
