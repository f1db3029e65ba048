/** Measures what is fastest on a device while its model is idle. */
import { disposedError } from '../api/errors';
import type { Turn } from '../kernels/tune';
import { after, type createIdle } from './idle';

/** Milliseconds without a use before a model counts as idle: a user who types pauses for less. */
const QUIET = 1000;

export interface Tuning {
  /** Resolves when nothing is left to do, however it ended; from now on nothing waits for the model to be idle. */
  hurry(): Promise<void>;
}

/**
 * Runs `tune`, which takes the device a piece at a time. A piece begins once nothing has used the model for a second, and `run` keeps passes from
 * beginning before it has ended. Where it fails, the model stays as it was.
 */
export function startTuning(
  tune: (turn: Turn) => Promise<void>,
  { restOf }: Pick<ReturnType<typeof createIdle>, 'restOf'>,
  run: Turn,
  /** Whether the model is not the one any more that is tuned. */
  isOver: () => boolean,
): Tuning {
  let isHurried = false;
  let wake = () => {};
  const turn: Turn = async (piece) => {
    // At least once: calls that have come meanwhile are uses only then, and a Node process may end here.
    do {
      if (isHurried) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
        after(restOf(QUIET), resolve);
      });
    } while (restOf(QUIET) > 0);
    if (isOver()) throw disposedError();
    return run(piece);
  };
  const done = tune(turn).catch(() => {});
  return {
    hurry() {
      isHurried = true;
      wake();
      return done;
    },
  };
}
