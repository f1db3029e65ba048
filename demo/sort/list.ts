import type { RowState } from './row';
import { createRow, type Row } from './row';
import type { Document } from './store';

/** The files in their order, which the user goes through by keys. */
export interface DocumentList {
  /**
   * Shows these documents; `isSorted`: in this order, but that one which has the focus and no label comes first. Otherwise those that are shown stay where
   * they are, and new ones come last.
   */
  update(documents: Document[], stateOf: (hash: string) => RowState, isSorted: boolean): void;
  focus(hash: string): void;
}

export function createList(
  place: HTMLElement,
  on: { choose(hash: string, label: string | undefined): void; remove(hash: string): void; undo(): void },
): DocumentList {
  const rows = new Map<string, Row>();
  const namesOf = new Map<string, string>();
  let order: string[] = [];
  let stateOf: (hash: string) => RowState = () => ({ classes: [], label: undefined, scores: undefined });
  let current: string | undefined;

  const hashOf = (target: EventTarget | null): string | undefined =>
    (target as HTMLElement | null)?.closest<HTMLElement>('.doc')?.dataset.hash;

  function setCurrent(hash: string | undefined) {
    if (current !== undefined) rows.get(current)?.setCurrent(false);
    current = hash;
    if (hash !== undefined) rows.get(hash)?.setCurrent(true);
  }

  function focus(hash: string) {
    setCurrent(hash);
    const item = rows.get(hash)?.element;
    item?.focus({ preventScroll: true });
    item?.scrollIntoView({ block: 'nearest' });
  }

  /** Gives a document a class, and goes on with the next one that has none. */
  function choose(hash: string, label: string | undefined) {
    const after = order.slice(order.indexOf(hash) + 1);
    const next = [...after, ...order].find((one) => one !== hash && stateOf(one).label === undefined);
    on.choose(hash, label);
    if (label !== undefined && next !== undefined) focus(next);
  }

  /** The row of a document; another one where it has come under more names. */
  function rowOf(document: Document): Row {
    const { hash } = document;
    const known = rows.get(hash);
    if (known && namesOf.get(hash) === document.names.join('\n')) return known;
    const made = createRow(document, { choose: (label) => choose(hash, label), remove: () => on.remove(hash) });
    made.element.dataset.hash = hash;
    made.setCurrent(hash === current);
    rows.set(hash, made);
    namesOf.set(hash, document.names.join('\n'));
    known?.element.replaceWith(made.element);
    return made;
  }

  place.addEventListener('focusin', (event) => {
    const hash = hashOf(event.target);
    if (hash !== current) setCurrent(hash);
  });
  place.addEventListener('keydown', (event) => {
    const target = event.target as HTMLElement;
    const hash = hashOf(target);
    if (hash === undefined || event.altKey || event.ctrlKey || event.metaKey || target instanceof HTMLSelectElement)
      return;
    const at = order.indexOf(hash);
    const moves: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: order.length - 1 };
    const { classes } = stateOf(hash);
    // A key that is held down is one choice.
    const digit = /^[1-9]$/.test(event.key) && !event.repeat ? classes[Number(event.key) - 1] : undefined;
    if (event.key in moves) {
      const to = order[moves[event.key]];
      if (to !== undefined) focus(to);
    } else if (digit !== undefined) choose(hash, digit);
    else if (event.key.toLowerCase() === 'z') on.undo();
    else if (event.key === 'Enter' && target.classList.contains('doc')) rows.get(hash)?.toggle();
    else return;
    event.preventDefault();
  });

  return {
    focus,
    update(documents, state, isSorted) {
      stateOf = state;
      const active = document.activeElement as HTMLElement | null;
      const focused = place.contains(active) ? hashOf(active) : undefined;
      const sorted = documents.map(({ hash }) => hash);
      const kept = new Set(sorted);
      for (const hash of rows.keys()) if (!kept.has(hash)) rows.delete(hash);
      // The user looks at it: it must not go away from under the eyes.
      const isOpen = focused !== undefined && kept.has(focused) && state(focused).label === undefined;
      const first = isSorted ? (isOpen ? [focused] : []) : order.filter((hash) => kept.has(hash));
      const next = [...new Set([...first, ...sorted])];
      for (const one of documents) rowOf(one).update(state(one.hash));
      // Tab comes to the first one, unless the user was at another.
      if (current === undefined || !kept.has(current) || (focused === undefined && isSorted)) setCurrent(next[0]);
      if (next.join() === order.join()) return;
      order = next;
      place.replaceChildren(...order.map((hash) => (rows.get(hash) as Row).element));
      if (active && focused !== undefined && kept.has(focused)) {
        active.focus({ preventScroll: true });
        if (isOpen && isSorted) place.scrollTop = 0;
      } else if (focused !== undefined && order.length > 0) focus(order[0]); // what had the focus was removed
    },
  };
}
