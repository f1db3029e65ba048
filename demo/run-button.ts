import { isAbort, showError } from './dom';

/**
 * Makes a form's submit button run something: while it runs the button says Stop and stops it. Gives back what starts a
 * run from elsewhere, in place of one in progress.
 */
export function createRunButton(
  form: HTMLFormElement,
  button: HTMLButtonElement,
  places: { error: HTMLElement; status: HTMLElement },
  run: (signal: AbortSignal) => Promise<void>,
): () => void {
  const label = button.textContent;
  let current: AbortController | undefined;

  async function start() {
    current?.abort();
    const own = new AbortController();
    current = own;
    button.textContent = 'Stop';
    showError(places.error, undefined);
    places.status.textContent = 'Working …';
    try {
      await run(own.signal);
    } catch (error) {
      if (current !== own) return;
      places.status.textContent = isAbort(error) ? 'Stopped.' : '';
      if (!isAbort(error)) showError(places.error, error);
    } finally {
      if (current === own) {
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
