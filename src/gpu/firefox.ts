/**
 * Firefox asks the GPU whether it is done only every 100 ms (POLL_TIME_MS in dom/webgpu/ipc/WebGPUParent.cpp), and besides whenever something is
 * submitted. Waiting for a query's vector or for an upload therefore takes 50 to 100 ms, however little there is to do. Mozilla tracks
 * this as https://bugzilla.mozilla.org/show_bug.cgi?id=1870699, "Don't poll WebGPU from a timer". This file may go when the oldest Firefox that
 * is supported has that fixed: `onSubmittedWorkDone` of an idle queue then takes 1 ms, which e2e/firefox.test.ts prints.
 */

/** Whether this is Firefox, which has the timer. Its iOS version (FxiOS) is WebKit. */
export const isPolled = (): boolean => globalThis.navigator?.userAgent?.includes('Firefox/') ?? false;

/** Milliseconds between Firefox's own looks at the GPU. */
const OWN_INTERVAL = 100;

/**
 * Returns `done`, a promise of the GPU (`mapAsync` or `onSubmittedWorkDone`). In Firefox it submits nothing, again and again, until `done` is
 * settled: each time Firefox looks at the GPU. The pauses grow by a sixteenth, and so are about a sixteenth of the time waited; it ends when
 * they reach those of Firefox itself. More submits would delay the work that they wait for.
 */
export async function settled<T>(queue: GPUQueue, done: Promise<T>): Promise<T> {
  if (!isPolled()) return done;
  let pause = 1;
  const look = () => {
    queue.submit([]);
    pause *= 1 + 1 / 16;
    if (pause < OWN_INTERVAL) timer = setTimeout(look, pause);
  };
  let timer = setTimeout(look, pause);
  try {
    return await done;
  } finally {
    clearTimeout(timer);
  }
}
