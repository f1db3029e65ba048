import type { CallProgress } from '../api/calls';
import { abortReason } from '../api/errors';
import { packPasses } from '../packing/passes';
import type { HeadRequest } from './head-runner';
import { answersOf, gatherHiddenRows, gatherRequests, type Item } from './pass-items';
import type { PassResult, RunOptions } from './runtime';

/** Options of `submit`: a signal that ends the call, and a callback for its progress. */
export interface SubmitOptions {
  signal?: AbortSignal;
  onProgress?: (progress: CallProgress) => void;
}

export interface SchedulerOptions {
  /** Runs one pass. `precise`: by the arithmetic that does not overflow where the usual one did. */
  run(
    sequences: Uint32Array[],
    requests: HeadRequest[],
    options: RunOptions & { onSubmitted: () => void },
    precise: boolean,
  ): Promise<PassResult>;
  maxTokensPerPass(): number;
  /** Whether a pass that failed with this error is run again, once. Default: no. */
  isWorthAnother?(error: unknown): boolean;
  /** The error for an item with a wrong answer; undefined if it is to be run again precisely. */
  wrongAnswer(item: Item, problem: string, precise: boolean): Error | undefined;
}

interface Call {
  /** Items that are in no pass yet, the next one last. */
  queue: Entry[];
  /** Items and tokens without an answer. */
  items: number;
  tokens: number;
  /** Passes begun since the call last had a part in one. */
  waited: number;
  ended: boolean;
  report(): void;
  finish(error?: unknown): void;
}

interface Entry {
  item: Item;
  call: Call;
  /** Its pass failed before. */
  failed?: boolean;
  precise?: boolean;
}

/** While the GPU works on a pass, the next one is encoded and results are read. More in flight would only delay a search query. */
const MOST_IN_FLIGHT = 2;
/** A call that had no part in so many passes has a share in every second one, however small the others are. */
const PATIENCE = 8;
/** Passes are packed from the next sequences of so many passes, or so many sequences: enough to fill them, and soon done. */
const WINDOW_PASSES = 4;
const WINDOW_ITEMS = 4096;
/** Milliseconds that a pass should take at the most, since a query may have to wait for two. Single sequences may take longer. */
const PASS_TIME = 500;
/** Tokens of a pass before the speed of the device is known, and those that it has on the slowest. */
const FIRST_TOKENS = 2048;
const LEAST_TOKENS = 512;

/**
 * Queues calls and runs them in passes on one GPU. Sequences of waiting calls share passes. The call with the fewest tokens left goes first, so
 * that a search query does not wait for an index that is being built; a call that has waited long has its turn in between.
 */
export function createScheduler(options: SchedulerOptions) {
  const calls = new Set<Call>();
  /** Passes that are run a second time. */
  let again: Entry[][] = [];
  let running = false;
  let wasPatient = false;
  let goodTokens = FIRST_TOKENS;
  let lastEnd = 0;

  function submit(items: Item[], { signal, onProgress }: SubmitOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    if (items.length === 0) return Promise.resolve();
    const most = options.maxTokensPerPass();
    const long = items.find(({ ids }) => ids.length > most);
    if (long) {
      // It would wait for ever.
      const { name = 'A sequence', ids } = long;
      throw new RangeError(`${name} has ${ids.length} tokens, but one pass holds ${most} (maxTokensPerPass).`);
    }
    return new Promise((resolve, reject) => {
      const onAbort = () => call.finish(abortReason(signal!));
      const totalTokens = items.reduce((sum, { ids }) => sum + ids.length, 0);
      const call: Call = {
        queue: [],
        items: items.length,
        tokens: totalTokens,
        waited: 0,
        ended: false,
        report() {
          const done = items.length - call.items;
          onProgress?.({ done, total: items.length, tokens: totalTokens - call.tokens, totalTokens });
        },
        finish(error) {
          if (call.ended) return;
          call.ended = true;
          calls.delete(call);
          signal?.removeEventListener('abort', onAbort);
          if (error === undefined) resolve();
          else reject(error);
        },
      };
      call.queue = items.map((item) => ({ item, call })).reverse();
      signal?.addEventListener('abort', onAbort);
      calls.add(call);
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
        const pass = inFlight.size < MOST_IN_FLIGHT ? nextPass() : [];
        if (pass.length === 0) {
          if (inFlight.size === 0) return;
          await Promise.race(inFlight);
          continue;
        }
        for (const call of calls) call.waited++;
        for (const { call } of pass) call.waited = 0;
        await new Promise<void>((begun) => {
          const done = runEntries(pass, begun).then(() => {
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

  /** Takes the entries of the next pass; none if nothing waits. */
  function nextPass(): Entry[] {
    for (let pass = again.shift(); pass; pass = again.shift()) {
      const alive = pass.filter(({ call }) => !call.ended);
      if (alive.length > 0) return alive;
    }
    const order = callsInTurn();
    if (order.length === 0) return [];
    const limit = limitFor(order[0].queue.at(-1)!);
    // Small calls as a whole, then what fills the room that they leave.
    const pass: Entry[] = [];
    let room = limit;
    let c = 0;
    for (; c < order.length && tokensOf(order[c].queue, room) <= room; c++) {
      room -= tokensOf(order[c].queue, room);
      for (const entry of order[c].queue.reverse()) pass.push(entry);
      order[c].queue = [];
    }
    const window = takeWindow(order.slice(c), room);
    // If nothing else is in the pass, it has a part of the first call: fuller passes of others could keep it waiting for ever.
    const chosen = new Set(fullest(window, room, pass.length === 0 ? order[0] : undefined));
    for (const entry of window.reverse()) if (!chosen.has(entry)) entry.call.queue.push(entry);
    return [...pass, ...chosen];
  }

  /** The calls that wait, in the order of their turn. */
  function callsInTurn(): Call[] {
    const order = [...calls].filter(({ queue }) => queue.length > 0).sort((a, b) => a.tokens - b.tokens);
    const longest = order.reduce<Call | undefined>((a, b) => (a && a.waited >= b.waited ? a : b), undefined);
    wasPatient = !wasPatient && longest !== undefined && longest.waited >= PATIENCE;
    return wasPatient ? [longest!, ...order.filter((call) => call !== longest)] : order;
  }

  /** Tokens of a pass with this entry. */
  const limitFor = ({ item }: Entry): number =>
    Math.min(options.maxTokensPerPass(), Math.max(goodTokens, item.ids.length));

  /** Takes the next entries of these calls off their queues, but for sequences that are longer than `room`. */
  function takeWindow(order: Call[], room: number): Entry[] {
    const window: Entry[] = [];
    let tokens = 0;
    let seen = 0;
    for (const { queue } of order) {
      const long: Entry[] = [];
      while (queue.length > 0 && tokens < WINDOW_PASSES * room && seen++ < WINDOW_ITEMS) {
        const entry = queue.pop()!;
        const { length } = entry.item.ids;
        if (length > room) long.push(entry);
        else {
          window.push(entry);
          tokens += length;
        }
      }
      for (const entry of long.reverse()) queue.push(entry);
    }
    return window;
  }

  /** Never rejects. `onSubmitted`: see RunOptions. */
  async function runEntries(entries: Entry[], onSubmitted: () => void): Promise<void> {
    const items = entries.map(({ item }) => item);
    const precise = entries[0].precise ?? false;
    const start = performance.now();
    try {
      const { requests, takers } = gatherRequests(items);
      const hiddenRows = gatherHiddenRows(items);
      const sequences = items.map(({ ids }) => ids);
      const keys = items.map((item) => item.keys);
      const token_type_ids = items.map((item) => item.token_type_ids);
      const how = { keys, token_type_ids, hiddenRows, onSubmitted };
      const result = await options.run(sequences, requests, how, precise);
      learnSpeed(sequences, start);
      const answers = answersOf(items, takers, result);
      const moved = new Set<Call>();
      for (const entry of entries) {
        const { call, item } = entry;
        if (call.ended) continue;
        const own = answers.get(item)!;
        const problem = own.map(({ problem }) => problem()).find((found) => found !== undefined);
        if (problem !== undefined) {
          runAlone(entry, problem, entries.length === 1);
          continue;
        }
        try {
          for (const { deliver } of own) deliver();
        } catch (error) {
          call.finish(error); // those of other calls are right
          continue;
        }
        call.items--;
        call.tokens -= item.ids.length;
        moved.add(call);
      }
      for (const call of moved) {
        try {
          if (!call.ended) call.report();
          if (call.items === 0) call.finish();
        } catch (error) {
          call.finish(error); // thrown by the caller's onProgress
        }
      }
    } catch (error) {
      if (options.isWorthAnother?.(error) && !entries[0].failed) {
        again.push(entries.map((entry) => ({ ...entry, failed: true })));
      } else for (const { call } of entries) call.finish(error);
    }
  }

  /** An entry with a wrong answer: a NaN of another sequence may have got into it, and else it may come right precisely. */
  function runAlone(entry: Entry, problem: string, wasAlone: boolean): void {
    const precise = entry.precise ?? false;
    const error = wasAlone ? options.wrongAnswer(entry.item, problem, precise) : undefined;
    if (error) entry.call.finish(error);
    else again.push([{ ...entry, precise: wasAlone || precise }]);
  }

  /** Of two passes in flight the GPU works on one at a time. */
  function learnSpeed(sequences: Uint32Array[], start: number): void {
    const now = performance.now();
    const tokens = sequences.reduce((sum, ids) => sum + ids.length, 0);
    const perMillisecond = tokens / Math.max(now - Math.max(start, lastEnd), 0.1);
    goodTokens = Math.max(LEAST_TOKENS, Math.floor(perMillisecond * PASS_TIME));
    lastEnd = now;
  }

  /** Rejects every call with `error`. */
  function stop(error: unknown): void {
    for (const call of [...calls]) call.finish(error);
    again = [];
  }

  return { submit, stop };
}

/** The tokens of these entries; if there are more than `most`, any number above it. */
function tokensOf(entries: Entry[], most: number): number {
  let tokens = 0;
  for (const { item } of entries) {
    tokens += item.ids.length;
    if (tokens > most) break;
  }
  return tokens;
}

/** Of the passes that these entries make, or of those with a part of `call`, one with the most tokens. */
function fullest(entries: Entry[], limit: number, call?: Call): Entry[] {
  const lengths = entries.map(({ item }) => item.ids.length);
  const tokens = (pass: number[]) => pass.reduce((sum, i) => sum + lengths[i], 0);
  const passes = packPasses(lengths, limit).filter((pass) => !call || pass.some((i) => entries[i].call === call));
  return passes
    .reduce((best, pass) => (tokens(pass) > tokens(best) ? pass : best), passes[0] ?? [])
    .map((i) => entries[i]);
}
