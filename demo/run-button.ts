import { element, isAbort, showError } from './dom';
import { runBegins, runEnds } from './models/idle-speed';
import { createProgress, type ProgressView } from './progress-view';

/**
 * Makes a form's submit button run something: while it runs the button says Stop and stops it, and what the run says of its progress
 * stands where its status does. Gives back what starts a run from elsewhere, in place of one in progress.
 */
export function createRunButton(
  form: HTMLFormElement,
  button: HTMLButtonElement,
  places: { error: HTMLElement; status: HTMLElement },
  run: (signal: AbortSignal, progress: ProgressView) => Promise<void>,
): () => void {
  const label = button.textContent;
  const progressPlace = element('div');
  places.status.before(progressPlace);
  const view = createProgress(progressPlace);
  let current: AbortController | undefined;

  /** Of the run that `own` aborts, as long as it is the latest. */
  const progressOf = (own: AbortController): ProgressView => ({
    show(step) {
      if (current !== own) return;
      places.status.hidden = true;
      view.show(step);
    },
    hide() {
      if (current !== own) return;
      places.status.hidden = false;
      view.hide();
    },
  });

  async function start() {
    current?.abort();
    const own = new AbortController();
    current = own;
    button.textContent = 'Stop';
    showError(places.error, undefined);
    const progress = progressOf(own);
    progress.hide();
    places.status.textContent = 'Working …';
    runBegins(); // a speed that is measured meanwhile, here or by it, would be wrong
    try {
      await run(own.signal, progress);
    } catch (error) {
      if (current !== own) return;
      places.status.textContent = isAbort(error) ? 'Stopped.' : '';
      if (!isAbort(error)) showError(places.error, error);
    } finally {
      runEnds();
      if (current === own) {
        progress.hide();
        current = undefined;
        button.textContent = label;
      }
    }
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (current) current.abort();
    else void start();
  });
  return () => void start();
}
