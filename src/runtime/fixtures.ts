/** For tests: a GPU that needs none, and items for it. */
import { NumericError } from '../api/errors';
import { pooledEmbedding } from '../model/heads/embeddings';
import type { Head } from '../model/heads/head';
import { lastHiddenState } from '../model/heads/hidden';
import type { HeadRequest } from './head-runner';
import type { Item } from './pass-items';
import type { PassResult } from './runtime';
import { createScheduler, type SchedulerOptions } from './scheduler';

/**
 * A GPU that answers with what it was asked about: the token id of a row, the sum of the ids of a sequence; hidden states are the ids,
 * in two stages. A pass waits for `gate`, if there is one, and fails where `fails` says so. With `queues` the GPU takes the next pass at
 * once, and finishes the oldest one when `finishes[0]` is called and so on.
 */
export function fakeGpu({
  limit = 10,
  gate,
  fails,
  queues = false,
  options = {},
}: {
  limit?: number;
  gate?: Promise<void>;
  fails?: (ids: number[]) => boolean;
  queues?: boolean;
  options?: Partial<SchedulerOptions>;
} = {}) {
  const finishes: (() => void)[] = [];
  const passes: number[][][] = [];
  const requested: HeadRequest[][] = [];
  const precisely: boolean[] = [];
  const run: SchedulerOptions['run'] = async (sequences, requests, { hiddenRows, onSubmitted }, precise) => {
    precisely.push(precise);
    passes.push(sequences.map((ids) => [...ids]));
    requested.push(requests);
    await gate;
    if (queues) {
      onSubmitted();
      await new Promise<void>((resolve) => finishes.push(resolve));
    }
    const stream = sequences.flatMap((ids) => [...ids]);
    if (fails?.(stream)) throw new Error('the GPU said no');
    const answer = ({ head, indices }: HeadRequest) =>
      Float32Array.from(indices, (i) => (head.by === 'row' ? stream[i] : sequences[i].reduce((a, b) => a + b, 0)));
    const states = hiddenRows && Float32Array.from(hiddenRows, (row) => stream[row]);
    return {
      heads: requests.map((request) => ({ data: answer(request), width: 1 })),
      hidden_states: states && [states, states.map((x) => -x)],
      dispatches: 0,
    } as unknown as PassResult;
  };
  const scheduler = createScheduler({
    run,
    maxTokensPerPass: () => limit,
    wrongAnswer: (_, problem) => new NumericError(problem),
    ...options,
  });
  return { ...scheduler, passes, requested, finishes, precisely };
}

export const HIDDEN = lastHiddenState;
export const POOLED = pooledEmbedding({ pooling: ['mean'], normalize: false });

/** An item of these ids and what was delivered for it. */
export function item(ids: number[], head: Head = POOLED, rows?: number[]): Item & { got: number[] } {
  const got: number[] = [];
  const deliver = (data: Float32Array) => void got.push(...data);
  return { ids: Uint32Array.from(ids), wanted: [{ head, rows: rows && Uint32Array.from(rows), deliver }], got };
}

/** A promise and what settles it. */
export function gateOf() {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { gate, open };
}

export const settled = () => new Promise((resolve) => setTimeout(resolve, 0));
