import { element } from '../dom';
import type { Entry } from './history';
import { MODE_NAMES } from './modes';
import './history.css';

const timeOfDay = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

/** Shows entries in `place`. `restore` brings one back; `keep` gets the entries that are left. Call the returned function when there are others. */
export function createHistoryView(
  place: HTMLElement,
  on: { entries(): Entry[]; restore(entry: Entry): void; keep(entries: Entry[]): void },
): () => void {
  const list = element('ol');
  const none = element(
    'p',
    { className: 'hint' },
    'No text yet. Those that give results are kept here, on this device.',
  );
  const clear = element('button', { type: 'button' }, 'Clear all');
  const undo = element('button', { type: 'button' }, 'Bring back');
  let removed: Entry[] | undefined;
  place.append(list, none, element('div', { className: 'row' }, undo, clear));

  function keep(entries: Entry[]) {
    removed = on.entries();
    on.keep(entries);
    show();
  }
  clear.addEventListener('click', () => {
    keep([]);
    undo.focus();
  });
  undo.addEventListener('click', () => {
    on.keep(removed ?? on.entries());
    removed = undefined;
    show();
    list.querySelector('button')?.focus();
  });

  function itemOf(entry: Entry, i: number): HTMLElement {
    const date = new Date(entry.time);
    const isToday = date.toDateString() === new Date().toDateString();
    const facts = [MODE_NAMES[entry.mode], ...(entry.targets ? [entry.targets] : []), entry.model];
    const restore = element(
      'button',
      { type: 'button', className: 'restore' },
      element('span', { className: 'text' }, entry.text),
      ...(entry.second ? [element('span', { className: 'text' }, entry.second)] : []),
      element(
        'span',
        { className: 'count' },
        `${facts.join(' · ')} · `,
        element('time', { dateTime: date.toISOString() }, (isToday ? timeOfDay : day).format(date)),
      ),
    );
    restore.addEventListener('click', () => on.restore(entry));
    const remove = element('button', { type: 'button', className: 'remove', ariaLabel: `Delete “${entry.text}”` }, '×');
    remove.addEventListener('click', () => {
      keep(on.entries().filter((other) => other.time !== entry.time || other.text !== entry.text));
      const left = list.querySelectorAll<HTMLElement>('.remove');
      (left[Math.min(i, left.length - 1)] ?? undo).focus();
    });
    return element('li', {}, restore, remove);
  }

  function show() {
    const entries = on.entries();
    const hadFocus = list.contains(document.activeElement);
    list.replaceChildren(...entries.map(itemOf));
    none.hidden = entries.length > 0;
    clear.hidden = entries.length === 0;
    undo.hidden = removed === undefined;
    if (hadFocus) list.querySelector('button')?.focus({ preventScroll: true });
  }
  show();
  return () => {
    removed = undefined;
    show();
  };
}
