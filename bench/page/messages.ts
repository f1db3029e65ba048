import type { Architecture } from '../architectures';
import type { Comparison } from '../compare-report';
import type { Measurements, Report } from '../report';
import type { Step } from '../steps';

/** A run that the page requests from its worker. */
export interface Job {
  nano: string; // URL of the built-in model
  models: ('nano' | 'base')[];
  tokens: number | undefined;
  repeats: number | undefined;
  bars: boolean;
}

export type Measured = Measurements & Pick<Report, 'adapter' | 'driver' | 'features' | 'bars'>;

/** The worker's answers: how far it is, lines of results, then all of them or an error message. */
export type Answer = { step: Step } | { log: string } | { done: Measured } | { error: string };

/** A comparison of the architectures of one size. */
export interface CompareJob {
  size: Architecture['class'];
  tokens: number | undefined;
  layers: number | undefined;
}

export type CompareAnswer =
  | { step: Step }
  | { log: string }
  | { soFar: Comparison }
  | { done: Comparison }
  | { error: string };
