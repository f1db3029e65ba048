/** Milliseconds of work after which the page may answer. */
const TURN = 30;

/** For long work in the page: `next` lets it answer if it has waited for long, and throws the reason of `signal`. */
export function createTurns(signal?: AbortSignal): { next(): Promise<void> } {
  let since = performance.now();
  return {
    async next() {
      if (performance.now() - since > TURN) {
        await new Promise((resolve) => setTimeout(resolve));
        since = performance.now();
      }
      signal?.throwIfAborted();
    },
  };
}
