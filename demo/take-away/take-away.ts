// What a panel shows, to take elsewhere: as lines of code, as a link, as a file. What opens is in take-away-view.ts, loaded when it is first wanted.
import { element, showError } from '../dom';
import type { TabState } from '../tab-state';

/** A file that a panel gives. */
export interface Exported {
  /** Such as `JSON`. */
  label: string;
  /** The file's name. */
  name: string;
  make(): Blob | Promise<Blob>;
}

/** The exact lines that do what a panel shows. */
export interface Snippets {
  typescript: string;
  /** The same by the command line, where that can. */
  shell?: string;
}

/** What has the focus in what opens. */
const FOCUSABLE = 'button, pre';

export interface TakeAwayOptions {
  /** May throw an Error in words. */
  code(): Snippets | Promise<Snippets>;
  /** What there is to save now. */
  exports?(): Exported[];
  /** Keys of the state that hold what the user wrote: in a link only if they ask for it. */
  texts?: string[];
}

/** Puts the row “Code · Link · Export” into `place`. `update`: the panel shows something else. */
export function createTakeAway(place: HTMLElement, state: TabState, options: TakeAwayOptions): { update(): void } {
  let shown: string | undefined;
  let latest = 0;
  const opened = element('div', { className: 'take-away-part' });
  const kinds = ['code', 'link', ...(options.exports ? ['export'] : [])] as const;
  const buttons = kinds.map((kind) => {
    const label = `${kind[0].toUpperCase()}${kind.slice(1)}`;
    const button = element('button', { type: 'button', ariaExpanded: 'false' }, label);
    button.addEventListener('click', () => show(kind === shown ? undefined : kind));
    return button;
  });

  /** What stands under a button. */
  async function partOf(kind: string): Promise<HTMLElement[]> {
    try {
      const view = await import('./take-away-view');
      if (kind === 'code') return view.codePart(await options.code());
      if (kind === 'link') return view.linkPart(state, options.texts ?? []);
      return view.exportPart(options.exports?.() ?? []);
    } catch (error) {
      const failed = element('p', { className: 'error', role: 'alert' });
      showError(failed, error);
      return [failed];
    }
  }

  /** Opens one of them, or closes what is open. What is open stays until its successor is there, and the focus in it too. */
  async function show(kind: string | undefined) {
    const isOther = kind !== shown;
    shown = kind;
    const own = ++latest;
    for (const [i, button] of buttons.entries()) button.ariaExpanded = String(kinds[i] === kind);
    if (kind === undefined || isOther) opened.replaceChildren();
    if (kind === undefined) return;
    const parts = await partOf(kind);
    if (own !== latest) return;
    // The same lines stay, with what is selected in them. Files are others behind the same buttons.
    if (kind === 'code' && parts.map(({ textContent }) => textContent).join() === textOf()) return;
    const focusable = () => [...opened.querySelectorAll<HTMLElement>(FOCUSABLE)];
    const focused = focusable().indexOf(document.activeElement as HTMLElement);
    opened.replaceChildren(...parts);
    focusable()[focused]?.focus({ preventScroll: true });
  }
  const textOf = () => [...opened.children].map(({ textContent }) => textContent).join();

  place.append(element('div', { className: 'row' }, ...buttons), opened);
  return {
    update() {
      if (shown === 'code' || shown === 'export') void show(shown); // of what is shown now
    },
  };
}
