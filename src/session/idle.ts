/** When a model is idle, and for how long it has been. */

/** What a timer can wait for: 25 days. */
const LONGEST = 2 ** 31 - 1;

/** A timer that alone keeps no Node process alive. */
export function after(ms: number, act: () => void) {
  const timer = setTimeout(act, ms);
  (timer as { unref?(): void }).unref?.();
  return timer;
}

/**
 * Counts what uses a model. Calls `letGo` when nothing has used it for `keepAlive` milliseconds, from now on; if these are 0, after each use.
 */
export function createIdle(keepAlive: number, letGo: () => void) {
  let uses = 0;
  let lastUse = performance.now();
  let isStopped = false;
  let idle = Promise.resolve();
  let becomeIdle = () => {};
  let timer: ReturnType<typeof setTimeout> | undefined;

  function rest(): void {
    if (isStopped || keepAlive > LONGEST) return;
    timer = after(keepAlive, letGo);
  }
  if (keepAlive > 0) rest();

  return {
    /** Runs something that uses the model. `isPreparing`: a call will follow, which the model stays for even if keepAlive is 0. */
    async using<T>(work: () => T | Promise<T>, isPreparing = false): Promise<T> {
      clearTimeout(timer);
      if (uses++ === 0) {
        idle = new Promise((resolve) => {
          becomeIdle = resolve;
        });
      }
      try {
        return await work();
      } finally {
        lastUse = performance.now();
        if (--uses === 0) {
          if (keepAlive > 0 || !isPreparing) rest();
          becomeIdle();
        }
      }
    },

    /** Milliseconds until nothing will have used the model for `ms`, if nothing does from now on; 0: nothing has. */
    restOf: (ms: number): number => Math.max(0, uses > 0 ? ms : lastUse + ms - performance.now()),

    /** Lets go as soon as nothing uses the model. */
    async release(): Promise<void> {
      while (uses > 0) await idle;
      letGo();
    },

    /** It is not let go any more by itself. */
    stop(): void {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
