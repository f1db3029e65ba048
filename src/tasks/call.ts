import { UnsupportedModelError } from '../api/errors';
import { checkOptions } from '../api/options';
import type { Task } from '../api/types';
import { TASKS } from '../model/heads/tasks';
import type { Parts } from './common';

/** A call of Model, as a value: the head that it works with, and what it does. */
export interface Call {
  /** The task that a checkpoint must have for this call; undefined if any will do, or if `run` checks it itself. */
  task?: Task;
  /** Its arguments before the options, and the names of these. A call without options has neither. */
  inputs?: number;
  options?: Record<string, true>;
  run(parts: Parts, ...args: never[]): Promise<unknown>;
}

/**
 * The call on a model, with copies of the lists that it is given: the caller may reuse its own while they are tokenized. It rejects with an
 * UnsupportedModelError for a checkpoint with another head.
 */
export const bound =
  (parts: Parts, name: string, call: () => Call | Promise<Call>) =>
  async (...args: never[]): Promise<unknown> => {
    const copies = args.map((value: unknown) => (Array.isArray(value) ? [...value] : value)) as never[];
    const { task, inputs = 1, options, run } = await call();
    if (options) checkOptions(name, copies[inputs], options);
    const own = parts.info.task;
    if (task === undefined || task === own) return run(parts, ...copies);
    throw new UnsupportedModelError(`${name} needs a ${TASKS[task].name}; this checkpoint is a ${TASKS[own].name}.`);
  };

/** A call that takes one input and resolves to one result, or takes a list and resolves to a list, as `many` does. */
export const oneOrMany =
  <T, A extends unknown[], R>(many: (parts: Parts, inputs: T[], ...rest: A) => Promise<R[]>) =>
  async (parts: Parts, inputs: T | T[], ...rest: A): Promise<R | R[]> =>
    Array.isArray(inputs) ? many(parts, inputs, ...rest) : (await many(parts, [inputs], ...rest))[0];
