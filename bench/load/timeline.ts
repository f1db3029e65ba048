// What is known of a load, and how it is printed.
import type { Table } from '../print';
import type { Marks } from './probe';

/** A load in Node. */
export interface Load {
  source: string;
  backend: 'null' | 'adapter';
  cacheFolder: string;
}

type Span = [from: number, to: number];

/** Moments in milliseconds since 1970. */
export interface Timeline extends Marks {
  start: number;
  loaded: number;
  /** The first embedding is there. */
  embedded: number;
  /** What the store did. */
  state: string;
  /** Known in Node alone. */
  tokenizer?: Span;
  check?: Span;
  /** Most bytes that JavaScript held more than before. */
  mostHeld?: number;
}

export interface Row extends Timeline {
  model: string;
  where: string;
  way: 'cold' | 'warm';
}

const HEADER = [
  'model',
  'where',
  'load',
  'device',
  'weights',
  'kernels',
  'tokenizer',
  'self-check',
  'loaded',
  'embedded',
  'busy: JSON',
  'upload',
  'compile',
  'MB held',
];

/** Milliseconds since the load began: one number for a moment, two for a span. */
export function timelineTable(rows: Row[]): Table {
  return [
    HEADER,
    ...rows.map((row) => {
      const at = (moment: number | undefined) => (moment === undefined ? '–' : (moment - row.start).toFixed(0));
      const span = (from?: number, to?: number) => (from === undefined ? '–' : `${at(from)} to ${at(to)}`);
      return [
        row.model,
        row.where,
        row.way,
        at(row.device),
        span(row.weightsFrom, row.weightsTo),
        `${span(row.kernelsFrom, row.kernelsTo)} (${row.kernels})`,
        span(row.tokenizer?.[0], row.tokenizer?.[1]),
        span(row.check?.[0], row.check?.[1]),
        at(row.loaded),
        at(row.embedded),
        row.parsing.toFixed(0),
        row.writing.toFixed(0),
        row.compiling.toFixed(0),
        row.mostHeld === undefined ? '–' : (row.mostHeld / 1e6).toFixed(0),
      ];
    }),
  ];
}
