/** A computation that shares its thread with a page, or with messages that abort it, gives way after so many milliseconds: one frame of a screen. */
const TURN = 16;

/** To be awaited now and then by a long computation. Rejects with the signal's reason. */
export type Pause = () => Promise<void> | undefined;

/** Gives the event loop a turn whenever the last one is long ago. */
export function turns(signal: AbortSignal | undefined): Pause {
  signal?.throwIfAborted();
  let began = performance.now();
  const turn = async () => {
    await nextTask();
    signal?.throwIfAborted();
    began = performance.now();
  };
  return () => (performance.now() - began < TURN ? undefined : turn());
}

/** Resolves in a task of its own. A message, as browsers hold back the timers of hidden pages to one a second. */
export const nextTask = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
