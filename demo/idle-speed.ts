// Measures the speed of a loaded model in a quiet moment, for the list of models (speed.ts).
import type { Model } from '../src/index';

/** Milliseconds without a run before anything is measured. */
const REST = 3000;

let runs = 0;
let stop = (): void => {};
const measured = new WeakSet<Model>();

/** A user's run begins: what is being measured ends. */
export function runBegins(): void {
  runs++;
  stop();
}

export function runEnds(): void {
  runs--;
}

const idle = (callback: () => void): unknown =>
  'requestIdleCallback' in globalThis ? requestIdleCallback(callback) : setTimeout(callback);

/** Measures `model` once nothing has run for a while. A run that begins meanwhile puts it off until this is called again. */
export function measureWhenIdle(model: Model, source: string): void {
  if (runs > 0 || measured.has(model)) return;
  stop();
  const controller = new AbortController();
  const { signal } = controller;
  const timer = setTimeout(() => idle(() => signal.aborted || void measure()), REST);
  stop = () => {
    clearTimeout(timer);
    controller.abort();
  };
  async function measure() {
    try {
      const { measureSpeed } = await import('./speed');
      await measureSpeed(model, source, signal);
      measured.add(model);
    } catch (error) {
      if (!signal.aborted) console.info('The speed of the model could not be measured:', error);
    }
  }
}
