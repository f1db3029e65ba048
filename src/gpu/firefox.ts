/**
 * Firefox looks only every 100 ms whether the GPU is done (POLL_TIME_MS in its dom/webgpu/ipc/WebGPUParent.cpp), and whenever something is
 * submitted. So waiting for a query's vector or for an upload takes up to 100 ms, however little there is to do. Mozilla's bug is
 * https://bugzilla.mozilla.org/show_bug.cgi?id=1870699 ("Don't poll WebGPU from a timer"). This file may go when that is fixed in the oldest
 * Firefox that the README names: e2e/firefox.test.ts prints how long an idle queue takes to say so, 1 ms or less then.
 */
import { isFirefox } from './browser';

/** Milliseconds between Firefox's own looks at the GPU. */
const OWN_INTERVAL = 100;

/**
 * Returns `done`, a promise of the GPU (`mapAsync` or `onSubmittedWorkDone`). In Firefox it submits nothing, again and again, until `done` is
 * settled: each time Firefox looks at the GPU. The pauses grow by a sixteenth, and so are about a sixteenth of the time waited; it ends when
 * they reach those of Firefox itself. More submits would delay the work that they wait for.
 */
export async function settled<T>(queue: GPUQueue, done: Promise<T>): Promise<T> {
  if (!isFirefox()) return done;
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
