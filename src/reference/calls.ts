/** How the calls of the reference checkpoints (README.md) are run, and what they are compared with. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { RerankOptions, TokenBatch } from '../api/calls';
import type { Embeddings, EmbedOptions, MultiVectorOptions, SparseOptions } from '../api/embeddings';
import type { Model } from '../api/types';

/** A call of the library that saved the checkpoint, and its results. */
export interface ReferenceCall {
  call: keyof typeof RUNS;
  /** What was run. */
  python: string;
  /** Of a case with several checkpoints: its folder. */
  folder?: string;
  options?: Record<string, unknown>;
  /** Largest absolute difference. */
  tolerance?: number;
  texts?: (string | string[])[];
  query?: string;
  documents?: string[];
  labels?: string[];
  ids?: number[][];
  /** Of models with token types. */
  typeIds?: number[][];
  rows?: number[][];
  output?: 'last_hidden_state' | 'logits';
  values?: unknown[];
  /** Of question answering: logits of every token. */
  start?: number[][];
  end?: number[][];
  /** The rows of a text may come in any order. */
  anyOrder?: boolean;
}

export interface ReferenceCase {
  about: string;
  madeBy: Record<string, string>;
  calls: ReferenceCall[];
}

const FOLDER = fileURLToPath(new URL('./fixtures', import.meta.url));

/** Folders; files beside them hold results of whole pipelines. */
export const CASES: string[] = readdirSync(FOLDER)
  .filter((name) => !name.endsWith('.json'))
  .sort();

export const folderOf = (name: string): string => `${FOLDER}/${name}`;

export const readCase = (name: string): ReferenceCase =>
  JSON.parse(readFileSync(`${folderOf(name)}/expected.json`, 'utf8'));

type Run = (model: Model, call: ReferenceCall) => Promise<void>;

/** A number may be off by the call's tolerance. */
function expectNear(got: ArrayLike<number>, want: number[], tolerance: number, what: string): void {
  expect(got.length, what).toBe(want.length);
  const worst = want.reduce((most, value, i) => Math.max(most, Math.abs(got[i] - value)), 0);
  expect(worst, what).toBeLessThanOrEqual(tolerance); // NaN is not
}

/** The inputs with their values, without empty texts, which calls refuse. */
function withoutEmpty<T>(inputs: (string | string[])[], values: unknown): { input: string | string[]; want: T }[] {
  const all = inputs.map((input, i) => ({ input, want: (values as T[])[i] }));
  return all.filter(({ input }) => (Array.isArray(input) ? input.every((text) => text !== '') : input !== ''));
}

const tokenize: Run = async (model, { texts = [], ids = [], typeIds }) => {
  for (const [i, text] of texts.entries()) {
    const tokens = await (Array.isArray(text) ? model.tokenize(text[0], text[1]) : model.tokenize(text));
    expect([...tokens.ids], `text ${i}`).toEqual(ids[i]);
    if (typeIds) expect([...tokens.tokenTypeIds], `text ${i}`).toEqual(typeIds[i]);
  }
};

/** One sequence. */
const batchOf = (ids: number[], types: number[] | undefined): TokenBatch => ({
  inputIds: Uint32Array.from(ids),
  lengths: Uint32Array.of(ids.length),
  ...(types && { tokenTypeIds: Uint32Array.from(types) }),
});

const forward: Run = async (model, { output = 'logits', ids = [], typeIds, rows = [], values, tolerance = 0 }) => {
  for (const [i, sequence] of ids.entries()) {
    const batch = batchOf(sequence, typeIds?.[i]);
    const { data, shape } = (await model.forward(batch, { outputs: [output], rows: rows[i] }))[output]!;
    const want = (values as number[][][])[i];
    expect(shape, `sequence ${i}`).toEqual([want.length, want[0].length]);
    expectNear(data, want.flat(), tolerance, `sequence ${i}`);
  }
};

const pooler: Run = async (model, { ids = [], typeIds, values, tolerance = 0 }) => {
  for (const [i, sequence] of ids.entries()) {
    const { pooler_output } = await model.forward(batchOf(sequence, typeIds?.[i]), { outputs: ['pooler_output'] });
    expectNear(pooler_output!.data, (values as number[][])[i], tolerance, `sequence ${i}`);
  }
};

const answer: Run = async (model, { ids = [], typeIds, start = [], end = [], tolerance = 0 }) => {
  expect([model.info.task, model.info.labels]).toEqual(['qa', ['start', 'end']]);
  for (const [i, sequence] of ids.entries()) {
    const batch = batchOf(sequence, typeIds?.[i]);
    const { data, shape } = (await model.forward(batch, { outputs: ['logits'] })).logits!;
    expect(shape, `pair ${i}`).toEqual([sequence.length, 2]);
    const want = sequence.flatMap((_, t) => [start[i][t], end[i][t]]);
    expectNear(data, want, tolerance, `pair ${i}`);
  }
};

const embed: Run = async (model, { texts = [], options, values, tolerance = 0 }) => {
  const kept = withoutEmpty<number[]>(texts, values);
  const inputs = kept.map(({ input }) => input as string);
  const all = await model.embed(inputs, { truncate: true, ...(options as EmbedOptions<'float32'>) });
  for (const [i, { want }] of kept.entries()) expectNear(all.row(i), want, tolerance, `text ${i}`);
};

const embedMultiVector: Run = async (model, { texts = [], options, values, tolerance = 0, anyOrder }) => {
  for (const { input, want } of withoutEmpty<number[][]>(texts, values)) {
    const found = await model.embedMultiVector(input as string, {
      truncate: true,
      ...(options as unknown as MultiVectorOptions),
    });
    expect(found.rows, String(input)).toBe(want.length);
    const left = rowsOf(found);
    for (const [r, row] of want.entries()) {
      const at = anyOrder ? nearest(left, row) : 0;
      expectNear(left.splice(at, 1)[0], row, tolerance, `row ${r} of ${input}`);
    }
  }
};

const rowsOf = (embeddings: Embeddings): Float32Array[] =>
  Array.from({ length: embeddings.rows }, (_, r) => embeddings.row(r));

function nearest(rows: Float32Array[], to: number[]): number {
  const dot = (row: Float32Array) => row.reduce((sum, x, i) => sum + x * to[i], 0);
  return rows.reduce((best, row, r) => (dot(row) > dot(rows[best]) ? r : best), 0);
}

const embedSparse: Run = async (model, { texts = [], options, values, tolerance = 0 }) => {
  const kept = withoutEmpty<Record<string, number>>(texts, values);
  const inputs = kept.map(({ input }) => input as string);
  const found = await model.embedSparse(inputs, { truncate: true, ...(options as SparseOptions) });
  expect(found.rows).toBe(kept.length);
  for (const [i, { want }] of kept.entries()) {
    const { ids, weights } = found.row(i);
    expect([...ids], `text ${i}`).toEqual([...ids].sort((a, b) => a - b));
    const got = new Map([...ids].map((id, e) => [String(id), weights[e]]));
    const all = [...new Set([...Object.keys(want), ...got.keys()])];
    expectNear(
      all.map((id) => got.get(id) ?? 0),
      all.map((id) => want[id] ?? 0),
      tolerance,
      `text ${i}`,
    );
  }
};

const rerank: Run = async (model, { query = '', documents = [], options, values, tolerance = 0 }) => {
  const kept = withoutEmpty<number>(documents, values);
  const inputs = kept.map(({ input }) => input as string);
  const found = await model.rerank(query, inputs, { truncate: true, ...(options as RerankOptions) });
  expect(found.length).toBe(kept.length);
  for (const { index, score } of found) expectNear([score], [kept[index].want], tolerance, `document ${index}`);
};

const classify: Run = async (model, { texts = [], options, values, tolerance = 0 }) => {
  const kept = withoutEmpty<number[]>(texts, values);
  const inputs = kept.map(({ input }) =>
    Array.isArray(input) ? (input.length > 1 ? { text: input[0], pair: input[1] } : input[0]) : input,
  );
  const found = await model.classify(inputs, { truncate: true, ...options });
  for (const [i, { want }] of kept.entries()) {
    const scores = model.info.labels.map((label) => found[i].find((score) => score.label === label)!.score);
    expectNear(scores, want, tolerance, `input ${i}`);
  }
};

const classifyTokens: Run = async (model, { texts = [], values, tolerance = 0 }) => {
  for (const { input, want } of withoutEmpty<[string, number][]>(texts, values)) {
    const found = await model.classifyTokens(input as string, { truncate: true });
    expect(
      found.map(({ label }) => label),
      String(input),
    ).toEqual(want.map(([label]) => label));
    expectNear(
      found.map(({ score }) => score),
      want.map(([, score]) => score),
      tolerance,
      String(input),
    );
  }
};

const fillMask: Run = async (model, { texts = [], values, tolerance = 0 }) => {
  for (const { input, want } of withoutEmpty<[number, number][][]>(texts, values)) {
    const masks = await model.fillMask(input as string, { topK: 5, truncate: true });
    expect(masks.map(({ candidates }) => candidates.map(({ tokenId }) => tokenId))).toEqual(
      want.map((mask) => mask.map(([id]) => id)),
    );
    const scores = masks.flatMap(({ candidates }) => candidates.map(({ score }) => score));
    expectNear(
      scores,
      want.flatMap((mask) => mask.map(([, score]) => score)),
      tolerance,
      String(input),
    );
  }
};

const entities: Run = async (model, { texts = [], labels = [], options, values, tolerance = 0 }) => {
  const found = await model.entities(texts as string[], labels, { truncate: true, ...options });
  for (const [i, want] of (values as [number, number, string, number][][]).entries()) {
    const what = `text ${i}`;
    expect(found[i].map(({ start, end, label, text }) => [start, end, label, text])).toEqual(
      want.map(([start, end, label]) => [start, end, label, (texts[i] as string).slice(start, end)]),
    );
    expectNear(
      found[i].map(({ score }) => score),
      want.map(([, , , score]) => score),
      tolerance,
      what,
    );
  }
};

export const RUNS = {
  tokenize,
  forward,
  pooler,
  answer,
  embed,
  embedMultiVector,
  embedSparse,
  rerank,
  classify,
  classifyTokens,
  fillMask,
  entities,
};
