/** The element of a selector that the page is known to have. */
export function find<T extends HTMLElement>(root: ParentNode, selector: string): T {
  const found = root.querySelector<T>(selector);
  if (!found) throw new Error(`The page has no element ${selector}.`);
  return found;
}

/** A new element with properties and children. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** What browsers say where a request fails, in place of which nobody knows what to do. */
const UNREACHABLE =
  /^Failed to fetch|^No answer from the network|NetworkError|^Load failed|dynamically imported module|Importing a module script failed/;

/** What went wrong, for people. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return UNREACHABLE.test(message) ? 'The network does not answer. Try again when it does.' : message;
}

/** Shows a message where it belongs; undefined hides it. */
export function showError(place: HTMLElement, error: unknown): void {
  place.hidden = error === undefined;
  place.textContent = error === undefined ? '' : messageOf(error);
}

/** Calls `load` when `details` is first opened. A failure is said in it, and opening it again tries again. */
export function loadWhenOpened(details: HTMLDetailsElement, load: () => Promise<void>): void {
  const problem = element('p', { className: 'error', role: 'alert' });
  let loaded: Promise<void> | undefined;
  details.addEventListener('toggle', async () => {
    if (!details.open) return;
    problem.remove();
    loaded ??= load();
    try {
      await loaded;
    } catch (error) {
      loaded = undefined;
      details.append(problem);
      showError(problem, error);
    }
  });
}

export const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === 'AbortError';

/** Rejects with the signal's reason once it is aborted. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** Calls `run` after `rest` milliseconds without another call. */
export function debounced(rest: number, run: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(run, rest);
  };
}

/** Whether the user asked the browser for few bytes. */
export const savesData = (): boolean =>
  (navigator as { connection?: { saveData?: boolean } }).connection?.saveData ?? false;

/**
 * A note before `results` that something they depend on has changed since; `again` says how to get new ones. Gives back what shows and hides it.
 */
export function staleNote(results: HTMLElement, again: string): (isStale: boolean) => void {
  const note = element('p', { className: 'stale-note', role: 'status' });
  results.before(note);
  return (isStale) => {
    note.textContent = isStale ? `Out of date: something has changed since. ${again}` : '';
  };
}
