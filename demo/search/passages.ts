import type { Document } from '../../cli/passages/documents';
import type { Passage } from '../../cli/passages/search';
import { element, find } from '../dom';

/** Characters that are shown before and after a passage. */
const AROUND = 10_000;

/** One passage as a list item. `onOpen` shows it in its document. */
export function passageItem(passage: Passage, onOpen: () => void): HTMLLIElement {
  const { name, pieces, cosine, words } = passage;
  const scores = [
    cosine !== undefined && `cosine ${cosine.toFixed(2)}`,
    words !== undefined && `words ${words.toFixed(3)}`,
  ];
  const open = element('button', { type: 'button', ariaLabel: `Open in context: ${name}` }, 'Open in context');
  open.addEventListener('click', onOpen);
  return element(
    'li',
    {},
    element(
      'div',
      { className: 'head' },
      element('h3', {}, name),
      element('span', { className: 'scores' }, scores.filter(Boolean).join(' · ')),
    ),
    element('p', { className: 'text' }, ...pieces.map(({ text, match }) => (match ? element('mark', {}, text) : text))),
    open,
  );
}

/** Shows a document in the dialog with the passage from `start` to `end` marked. */
export function showContext(dialog: HTMLDialogElement, { name, text }: Document, start: number, end: number): void {
  const from = Math.max(0, start - AROUND);
  const to = Math.min(text.length, end + AROUND);
  const passage = element('mark', {}, text.slice(start, end));
  const place = find(dialog, '.context-text');
  find(dialog, 'h3').textContent = name;
  place.replaceChildren(
    (from > 0 ? '…' : '') + text.slice(from, start),
    passage,
    text.slice(end, to) + (to < text.length ? '…' : ''),
  );
  place.tabIndex = 0; // so that keys scroll it
  dialog.showModal();
  place.focus();
  passage.scrollIntoView({ block: 'center' });
}
