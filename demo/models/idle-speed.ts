// Measures the speed of a loaded model in a quiet moment, for the list of models (speed.ts).
import type { Model } from '../../src/index';

/** Milliseconds without a run before anything is measured. */
const REST = 3000;

let runs = 0;
let stop = (): void => {};
/** What is to be measured next. */
let wanted: { model: Model; source: string } | undefined;

/** A user's run begins: what is being measured ends, until all runs have. */
export function runBegins(): void {
  runs++;
  stop();
}

export function runEnds(): void {
  runs--;
  plan();
}

const idle = (callback: () => void): unknown =>
  'requestIdleCallback' in globalThis ? requestIdleCallback(callback) : setTimeout(callback);

/** Measures `model` once nothing has run for a while, if its speed is not known or is an old one (speed.ts). */
export function measureWhenIdle(model: Model, source: string): void {
  wanted = { model, source };
  plan();
}

function plan(): void {
  stop();
  if (!wanted || runs > 0) return;
  const controller = new AbortController();
  const timer = setTimeout(() => idle(() => controller.signal.aborted || void measure(controller.signal)), REST);
  stop = () => {
    clearTimeout(timer);
    controller.abort();
  };
}

async function measure(signal: AbortSignal) {
  const own = wanted;
  if (!own) return;
  try {
    const { measureSpeed } = await import('./speed');
    await measureSpeed(own.model, own.source, signal);
  } catch (error) {
    if (signal.aborted) return; // a run began: later
    console.info('The speed of the model could not be measured:', error); // it may have been let go
  }
  if (wanted === own) wanted = undefined;
}
