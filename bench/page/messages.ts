import type { Measurements, Report } from '../report';

/** What the page asks of its worker. */
export interface Job {
  nano: string; // address of the built-in model
  models: ('nano' | 'base')[];
  tokens: number | undefined;
  repeats: number | undefined;
  bars: boolean;
}

export type Measured = Measurements & Pick<Report, 'adapter' | 'driver' | 'features' | 'bars'>;

/** What the worker answers: lines of progress, then the results or why there are none. */
export type Answer = { log: string } | { done: Measured } | { error: string };
