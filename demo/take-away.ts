// What a panel shows, to take elsewhere: as lines of code, as a link, as a file. What opens is in take-away-view.ts, loaded when it is first wanted.
import { element, showError } from './dom';
import type { TabState } from './tab-state';

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
  const opened = element('div', { className: 'take-away-part' });
  const kinds = ['code', 'link', ...(options.exports ? ['export'] : [])] as const;
  const buttons = kinds.map((kind) => {
    const label = `${kind[0].toUpperCase()}${kind.slice(1)}`;
    const button = element('button', { type: 'button', ariaExpanded: 'false' }, label);
    button.addEventListener('click', () => show(kind === shown ? undefined : kind));
    return button;
  });

  /** Opens one of them, or closes what is open. */
  async function show(kind: string | undefined) {
    shown = kind;
    for (const [i, button] of buttons.entries()) button.ariaExpanded = String(kinds[i] === kind);
    opened.replaceChildren();
    if (kind === undefined) return;
    try {
      const view = await import('./take-away-view');
      if (shown !== kind) return;
      if (kind === 'code') {
        const code = await options.code();
        if (shown === kind) opened.replaceChildren(...view.codePart(code));
      }
      if (kind === 'link') opened.replaceChildren(...view.linkPart(state, options.texts ?? []));
      if (kind === 'export') opened.replaceChildren(...view.exportPart(options.exports?.() ?? []));
    } catch (error) {
      const failed = element('p', { className: 'error', role: 'alert' });
      showError(failed, error);
      opened.replaceChildren(failed);
    }
  }

  place.append(element('div', { className: 'row' }, ...buttons), opened);
  return {
    update() {
      if (shown === 'code' || shown === 'export') void show(shown); // of what is shown now
    },
  };
}
