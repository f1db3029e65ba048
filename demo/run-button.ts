import { element, isAbort, showError } from './dom';
import { runBegins, runEnds } from './models/idle-speed';
import { createProgress, type ProgressView } from './progress-view';

export interface RunButton {
  /** Starts a run from elsewhere, in place of one in progress. */
  start(): void;
  /** Whether the button starts no run for now. It stops one in any case. */
  block(isBlocked: boolean): void;
}

/**
 * Makes a form's submit button run something: while it runs the button says Stop and stops it, and what the run says of its progress
 * stands where its status does.
 */
export function createRunButton(
  form: HTMLFormElement,
  button: HTMLButtonElement,
  places: { error: HTMLElement; status: HTMLElement },
  run: (signal: AbortSignal, progress: ProgressView) => Promise<void>,
): RunButton {
  const label = button.textContent;
  const progressPlace = element('div');
  places.status.before(progressPlace);
  const view = createProgress(progressPlace);
  let current: AbortController | undefined;
  let isBlocked = false;

  function showBlocked() {
    const hadFocus = document.activeElement === button;
    button.disabled = isBlocked && !current;
    // A disabled button loses the focus: it goes to what is to be mended.
    if (button.disabled && hadFocus) form.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
  }

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
    showBlocked();
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
        showBlocked();
      }
    }
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (current) current.abort();
    else void start();
  });
  return {
    start: () => void start(),
    block(blocked) {
      if (blocked === isBlocked) return; // whoever disables it for another reason is not overruled
      isBlocked = blocked;
      showBlocked();
    },
  };
}
