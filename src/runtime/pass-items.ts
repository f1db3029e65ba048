/** What a pass computes for its items, and which item takes which part of the answers. */
import { poolSpan } from '../kernels/pool';
import { type Head, notFinite } from '../model/heads/head';
import type { Apart, HeadRequest } from './head-runner';
import type { PassResult } from './runtime';

/** Tokens of a sequence to pool: those from `first` to `end`; positions (weightedmean) count from `start`. */
export type Span = [start: number, first: number, end: number];

/** One head's output that a call needs for one of its sequences. */
export interface Wanted {
  head: Head;
  /** For heads by row: token indices in the sequence. */
  rows?: Uint32Array;
  /** For heads by sequence: parts of it to answer for. Default: the whole sequence. */
  spans?: Span[];
  /** For heads that compute items apart: what their steps read beside the rows. */
  lists?: Uint32Array<ArrayBuffer>[];
  /** Receives the answer: [rows, width], [spans, width] or [1, width]. */
  deliver(data: Float32Array<ArrayBuffer>, width: number): void;
}

/** One sequence to run. `hidden`: rows whose hidden states the call needs before each layer and before final_norm. */
export interface Item {
  ids: Uint32Array;
  /** What the sequence is in messages: 'Text 3'. */
  name?: string;
  /** How many of its tokens, counted from the first, are attended to. Default: all. */
  keys?: number;
  /** A type per token, of models that tell the texts of a pair by it. Default: 0. */
  token_type_ids?: Uint32Array;
  wanted: Wanted[];
  hidden?: { rows: Uint32Array; deliver(stages: Float32Array<ArrayBuffer>[]): void };
}

/** `rows`: of the request's answer. */
interface Taker {
  item: Item;
  wanted: Wanted;
  rows: number;
}

/** One request per head, over all sequences of the pass, and who takes the rows of its answer, in turn. */
export function gatherRequests(items: Item[]): { requests: HeadRequest[]; takers: Taker[][] } {
  const kinds = new Map<string, { head: Head; indices: number[]; spans: number[]; apart: Apart[]; takers: Taker[] }>();
  let start = 0;
  items.forEach((item, sequence) => {
    for (const wanted of item.wanted) {
      const { head } = wanted;
      const kind = kinds.get(head.key) ?? { head, indices: [], spans: [], apart: [], takers: [] };
      kinds.set(head.key, kind);
      const { rows = [], spans = [poolSpan(0, item.ids.length)] } = wanted;
      if (head.by === 'row') for (const row of rows) kind.indices.push(start + row);
      else {
        for (const span of spans) {
          kind.indices.push(sequence);
          for (const row of span) kind.spans.push(start + row);
        }
      }
      const count = head.by === 'row' ? rows.length : spans.length;
      kind.apart.push({ rows: count, lists: wanted.lists ?? [] });
      kind.takers.push({ item, wanted, rows: count });
    }
    start += item.ids.length;
  });
  const list = [...kinds.values()];
  return {
    requests: list.map(
      ({ head, indices, spans, apart }): HeadRequest => ({
        head,
        indices: Uint32Array.from(indices),
        ...(head.by === 'sequence' && { spans: Uint32Array.from(spans) }),
        ...(head.apart && { apart }),
      }),
    ),
    takers: list.map(({ takers }) => takers),
  };
}

/** The stream rows whose hidden states the items want; undefined if none wants any. */
export function gatherHiddenRows(items: Item[]): Uint32Array | undefined {
  if (!items.some(({ hidden }) => hidden)) return undefined;
  const rows: number[] = [];
  let start = 0;
  for (const { ids, hidden } of items) {
    for (const row of hidden?.rows ?? []) rows.push(start + row);
    start += ids.length;
  }
  return Uint32Array.from(rows);
}

/** One of the answers that an item takes. */
interface Answer {
  /** What is wrong with its numbers, if anything. */
  problem(): string | undefined;
  deliver(): void;
}

/** What the pass computed, for each of its items. */
export function answersOf(items: Item[], takers: Taker[][], { heads, hidden_states }: PassResult): Map<Item, Answer[]> {
  const answers = new Map<Item, Answer[]>(items.map((item) => [item, []]));
  takers.forEach((list, request) => {
    const { data, width } = heads[request];
    let row = 0;
    for (const { item, wanted, rows } of list) {
      const own = data.subarray(row * width, (row + rows) * width);
      row += rows;
      answers.get(item)!.push({
        problem: () => (wanted.head.problem ?? notFinite)(own, width),
        deliver: () => wanted.deliver(own, width),
      });
    }
  });
  const hiddenRows = items.reduce((sum, { hidden }) => sum + (hidden?.rows.length ?? 0), 0);
  let first = 0;
  for (const item of items) {
    const { hidden } = item;
    if (!hidden || !hidden_states) continue;
    const [from, to] = [first, first + hidden.rows.length];
    first = to;
    const stages = hidden_states.map((stage) => {
      const width = stage.length / hiddenRows;
      return stage.subarray(from * width, to * width);
    });
    answers.get(item)!.push({
      problem: () => stages.map(notFinite).find((found) => found !== undefined),
      deliver: () => hidden.deliver(stages),
    });
  }
  return answers;
}
