import type { CallProgress } from '../api/calls';
import { abortReason } from '../api/errors';
import type { Head } from '../model/heads/head';
import { packPasses } from '../packing/passes';
import type { HeadRequest } from './head-runner';
import type { PassResult } from './runtime';

/** One head's output that a call needs for one of its sequences. `rows`: token indices in the sequence, for heads by row. */
export interface Wanted {
  head: Head;
  rows?: Uint32Array;
  /** Receives the answer: [rows or 1, width]. */
  deliver(data: Float32Array<ArrayBuffer>, width: number): void;
}

/** One sequence to run. `hidden`: rows whose hidden states the call needs before each layer and before final_norm. */
export interface Item {
  ids: Uint32Array;
  /** How many of its tokens, counted from the first, are attended to. Default: all. */
  keys?: number;
  wanted: Wanted[];
  hidden?: { rows: Uint32Array; deliver(stages: Float32Array<ArrayBuffer>[]): void };
}

/** Options of `submit`: a signal that ends the call, and a callback for its progress. */
export interface SubmitOptions {
  signal?: AbortSignal;
  onProgress?: (progress: CallProgress) => void;
}

interface Call {
  items: Set<Item>;
  /** Tokens still to be run. */
  tokens: number;
  report(): void;
  finish(error?: unknown): void;
}

type RunPass = (
  sequences: Uint32Array[],
  requests: HeadRequest[],
  options: { keys: (number | undefined)[]; hiddenRows?: Uint32Array; onSubmitted: () => void },
) => Promise<PassResult>;

/** While the GPU works on a pass, the next one is encoded and results are read. More in flight would only delay a search query. */
const MOST_IN_FLIGHT = 2;

/**
 * Queues calls and runs them in passes on one GPU. Sequences of waiting calls share passes. The pass with the smallest call's sequences goes
 * first, so that a search query does not wait for an index that is being built.
 */
export function createScheduler(runPass: RunPass, maxTokensPerPass: () => number) {
  const calls = new Map<Item, Call>();
  let waiting: Item[] = [];
  let running = false;

  function submit(items: Item[], { signal, onProgress }: SubmitOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    if (items.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onAbort = () => call.finish(abortReason(signal!));
      const totalTokens = items.reduce((sum, { ids }) => sum + ids.length, 0);
      const call: Call = {
        items: new Set(items),
        tokens: totalTokens,
        report() {
          const done = items.length - call.items.size;
          onProgress?.({ done, total: items.length, tokens: totalTokens - call.tokens, totalTokens });
        },
        finish(error) {
          for (const item of call.items) calls.delete(item);
          signal?.removeEventListener('abort', onAbort);
          if (error === undefined) resolve();
          else reject(error);
        },
      };
      signal?.addEventListener('abort', onAbort);
      for (const item of items) calls.set(item, call);
      waiting.push(...items);
      if (!running) {
        running = true;
        // Calls made in the same turn of the event loop share their first pass.
        queueMicrotask(() => void drain());
      }
    });
  }

  async function drain(): Promise<void> {
    const inFlight = new Set<Promise<void>>();
    try {
      for (;;) {
        waiting = waiting.filter((item) => calls.has(item));
        if (waiting.length === 0 && inFlight.size === 0) return;
        if (waiting.length === 0 || inFlight.size === MOST_IN_FLIGHT) {
          await Promise.race(inFlight);
          continue;
        }
        const pass = new Set(nextPass());
        waiting = waiting.filter((item) => !pass.has(item));
        await new Promise<void>((begun) => {
          const done = runItems([...pass], begun).then(() => {
            inFlight.delete(done);
            begun();
          });
          inFlight.add(done);
        });
      }
    } catch (error) {
      stop(error); // packing failed: no call may be left waiting
    } finally {
      running = false;
    }
  }

  function nextPass(): Item[] {
    const lengths = waiting.map(({ ids }) => ids.length);
    const least = (pass: number[]) => Math.min(...pass.map((i) => calls.get(waiting[i])!.tokens));
    const passes = packPasses(lengths, maxTokensPerPass());
    const first = passes.reduce((best, pass) => (least(pass) < least(best) ? pass : best));
    return first.map((i) => waiting[i]);
  }

  /** Never rejects. `onSubmitted`: see RunOptions. */
  async function runItems(items: Item[], onSubmitted: () => void): Promise<void> {
    try {
      const { requests, takers } = gatherRequests(items);
      const hiddenRows = gatherHiddenRows(items);
      const result = await runPass(
        items.map(({ ids }) => ids),
        requests,
        { keys: items.map(({ keys }) => keys), hiddenRows, onSubmitted },
      );
      if (result.hidden_states && hiddenRows) deliverHidden(items, result.hidden_states, hiddenRows.length);
      takers.forEach((list, request) => {
        const { data, width } = result.heads[request];
        let row = 0;
        for (const { item, wanted, rows } of list) {
          if (calls.has(item)) wanted.deliver(data.subarray(row * width, (row + rows) * width), width);
          row += rows;
        }
      });
      const moved = new Set<Call>();
      for (const item of items) {
        const call = calls.get(item);
        if (!call) continue;
        calls.delete(item);
        call.items.delete(item);
        call.tokens -= item.ids.length;
        moved.add(call);
      }
      for (const call of moved) {
        try {
          call.report();
          if (call.items.size === 0) call.finish();
        } catch (error) {
          call.finish(error); // thrown by the caller's onProgress
        }
      }
    } catch (error) {
      for (const call of new Set(items.map((item) => calls.get(item)))) call?.finish(error);
    }
  }

  /** Rejects every call with `error`. */
  function stop(error: unknown): void {
    for (const call of new Set(calls.values())) call.finish(error);
    waiting = [];
  }

  return { submit, stop };
}

/** One request per head, over all sequences of the pass, and which item takes which rows of its answer. */
function gatherRequests(items: Item[]) {
  const kinds = new Map<
    string,
    { head: Head; indices: number[]; takers: { item: Item; wanted: Wanted; rows: number }[] }
  >();
  let start = 0;
  items.forEach((item, sequence) => {
    for (const wanted of item.wanted) {
      const { head } = wanted;
      const kind = kinds.get(head.key) ?? { head, indices: [], takers: [] };
      kinds.set(head.key, kind);
      const rows = wanted.rows ?? [];
      if (head.by === 'row') for (const row of rows) kind.indices.push(start + row);
      else kind.indices.push(sequence);
      kind.takers.push({ item, wanted, rows: head.by === 'row' ? rows.length : 1 });
    }
    start += item.ids.length;
  });
  const list = [...kinds.values()];
  return {
    requests: list.map(({ head, indices }): HeadRequest => ({ head, indices: Uint32Array.from(indices) })),
    takers: list.map(({ takers }) => takers),
  };
}

function gatherHiddenRows(items: Item[]): Uint32Array | undefined {
  if (!items.some(({ hidden }) => hidden)) return undefined;
  const rows: number[] = [];
  let start = 0;
  for (const { ids, hidden } of items) {
    for (const row of hidden?.rows ?? []) rows.push(start + row);
    start += ids.length;
  }
  return Uint32Array.from(rows);
}

/** Hands each item its rows of every stage. */
function deliverHidden(items: Item[], stages: Float32Array<ArrayBuffer>[], rows: number): void {
  const width = rows > 0 ? stages[0].length / rows : 0;
  let first = 0;
  for (const { hidden } of items) {
    if (!hidden) continue;
    const end = first + hidden.rows.length;
    hidden.deliver(stages.map((stage) => stage.subarray(first * width, end * width)));
    first = end;
  }
}
