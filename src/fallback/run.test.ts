import { expect, it } from 'vitest';
import type { Task } from '../api/types';
import { pooledEmbedding } from '../model/heads/embeddings';
import type { Head } from '../model/heads/head';
import { lastHiddenState } from '../model/heads/hidden';
import { sequenceLogits, tokenLogits } from '../model/heads/logits';
import { topK } from '../model/heads/top-k';
import type { HeadRequest } from '../runtime/head-runner';
import { onnxRun } from './run';
import type { Output, Sequence } from './transformers-js';

/** Runs requests by a session that makes an output of each sequence; `ran` are the sequences that it got. */
async function run(
  task: Task,
  logits: number,
  output: (ids: number[]) => Record<string, Output>,
  requests: HeadRequest[],
) {
  const ran: Sequence[] = [];
  const session = {
    outputs: Object.keys(output([1])),
    where: 'a test',
    async run(sequence: Sequence) {
      ran.push(sequence);
      return output([...sequence.input_ids]);
    },
    async dispose() {},
  };
  const pass = onnxRun({ session, task, hidden_size: 2, logits, applies: new Map() });
  const sequences = [Uint32Array.of(1, 2), Uint32Array.of(3, 4, 5)];
  const token_type_ids = [undefined, Uint32Array.of(0, 1, 1)];
  const { heads } = await pass(sequences, requests, { token_type_ids, onSubmitted() {} }, false);
  return { ran, heads: heads.map(({ data, width }) => ({ data: [...data], width })) };
}

const tensor = (rows: number[][], ...dims: number[]): Output => ({ data: Float32Array.from(rows.flat()), dims });
const tokens = (name: string) => (ids: number[]) => ({
  [name]: tensor(
    ids.map((id) => [id, -id]),
    1,
    ids.length,
    2,
  ),
});
const request = (head: Head, indices: number[], spans?: number[]): HeadRequest => ({
  head,
  indices: Uint32Array.from(indices),
  ...(spans && { spans: Uint32Array.from(spans) }),
});

it('runs one sequence after the other, with types and no padding', async () => {
  const { ran } = await run('tokcls', 2, tokens('logits'), [request(tokenLogits, [0])]);
  const lists = ran.map((sequence) =>
    Object.fromEntries(Object.entries(sequence).map(([name, list]) => [name, [...list]])),
  );
  expect(lists).toEqual([
    { input_ids: [1, 2], attention_mask: [1, 1], token_type_ids: [0, 0] },
    { input_ids: [3, 4, 5], attention_mask: [1, 1, 1], token_type_ids: [0, 1, 1] },
  ]);
});

it('gives rows of the stream, in the order of the request', async () => {
  const { heads } = await run('tokcls', 2, tokens('logits'), [
    request(tokenLogits, [4, 0, 2]),
    request(tokenLogits, []),
  ]);
  expect(heads).toEqual([
    { data: [5, -5, 1, -1, 3, -3], width: 2 },
    { data: [], width: 0 },
  ]);
});

it('pools spans of sequences, of which positions count from their start', async () => {
  const mean = pooledEmbedding({ pooling: ['mean', 'lasttoken'], normalize: false });
  const weighted = pooledEmbedding({ pooling: ['weightedmean'], normalize: false });
  const spans = [2, 3, 5, 0, 0, 2];
  const { heads } = await run('encoder', 0, tokens('last_hidden_state'), [
    request(mean, [1, 0], spans),
    request(weighted, [1, 0], spans),
  ]);
  expect(heads[0]).toEqual({ data: [4.5, -4.5, 5, -5, 1.5, -1.5, 2, -2], width: 4 });
  const [second, first] = [(2 * 4 + 3 * 5) / 5, (1 + 2 * 2) / 3];
  expect(heads[1].data).toEqual([second, -second, first, -first].map(Math.fround));
});

it('chooses the best logits, of equal ones the first id', async () => {
  const logits = [1, 3, 2, 3, 0];
  const { heads } = await run(
    'mlm',
    5,
    (ids) => ({
      logits: tensor(
        ids.map(() => logits),
        1,
        ids.length,
        5,
      ),
    }),
    [request(topK(3), [1])],
  );
  const words = new Uint32Array(Float32Array.from(heads[0].data).buffer);
  expect([words[0], words[2], words[4]]).toEqual([1, 3, 2]);
  const total = logits.reduce((sum, x) => sum + Math.exp(x), 0);
  for (const [i, x] of [3, 3, 2].entries()) expect(heads[0].data[2 * i + 1]).toBeCloseTo(Math.exp(x) / total, 6);
});

it('reads starts and ends of answers, and logits of sequences', async () => {
  const answers = (ids: number[]) => ({
    start_logits: tensor([ids], 1, ids.length),
    end_logits: tensor([ids.map((id) => 10 * id)], 1, ids.length),
  });
  expect((await run('qa', 2, answers, [request(tokenLogits, [3])])).heads).toEqual([{ data: [4, 40], width: 2 }]);
  const classes = (ids: number[]) => ({ logits: tensor([[ids[0], 7, 8]], 1, 3) });
  const { heads } = await run('seqcls', 3, classes, [request(sequenceLogits, [1, 0], [2, 2, 5, 0, 0, 2])]);
  expect(heads).toEqual([{ data: [3, 7, 8, 1, 7, 8], width: 3 }]);
});

it('refuses what needs a GPU, and numbers of another model', async () => {
  const none = run('encoder', 0, tokens('last_hidden_state'), [request(lastHiddenState, [0])]);
  await expect(none).rejects.toMatchObject({ name: 'WebGPUUnavailableError' });
  const other = run('tokcls', 3, tokens('logits'), [request(tokenLogits, [0])]);
  await expect(other).rejects.toThrow("a test: logits has 2 numbers per row, but the checkpoint's config.json says 3.");
});
