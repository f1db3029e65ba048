import { element, find } from '../dom';
import { linesOf } from '../lines';
import type { Example } from './csv';

/** The classes with their examples, which the user edits. */
export interface Classes {
  /** Those that have a name and an example. */
  get(): { label: string; texts: string[] }[];
  /** Puts other examples in place of all. */
  set(examples: Example[]): void;
  add(): void;
  /** All of them, finished or not, as text, and back. `restore` throws a SyntaxError or TypeError for other texts. */
  save(): string;
  restore(saved: string): void;
}

/** What the fields of one class hold, finished or not. */
interface Card {
  label: string;
  texts: string;
}

/** `undo` takes back what replaced or removed classes: examples are work. `onChange` hears of every change. */
export function createClasses(place: HTMLElement, undo: HTMLButtonElement, onChange: () => void): Classes {
  let before: Card[] = [];

  const cards = (): Card[] =>
    [...place.querySelectorAll<HTMLElement>('.class-card')].map((made) => ({
      label: find<HTMLInputElement>(made, '.class-name').value,
      texts: find<HTMLTextAreaElement>(made, '.class-texts').value,
    }));

  function keep() {
    before = cards();
    undo.hidden = before.length === 0;
  }

  function card({ label, texts }: Card): HTMLElement {
    const name = element('input', { type: 'text', className: 'class-name', value: label, autocomplete: 'off' });
    const examples = element('textarea', { className: 'class-texts', rows: 4, value: texts, autocomplete: 'off' });
    const remove = element('button', { type: 'button' }, 'Remove class');
    const made = element(
      'fieldset',
      { className: 'class-card' },
      element('legend', { className: 'visually-hidden' }, 'Class'),
      element('label', {}, 'Class ', name),
      element('label', {}, 'Examples, one per line ', examples),
      remove,
    );
    remove.addEventListener('click', () => {
      keep();
      made.remove();
      onChange();
      undo.focus(); // the button that had the focus is gone
    });
    return made;
  }

  undo.addEventListener('click', () => {
    place.replaceChildren(...before.map(card));
    undo.hidden = true;
    onChange();
    find(place, '.class-name').focus();
  });
  place.addEventListener('input', onChange);

  return {
    get: () =>
      cards()
        .map(({ label, texts }) => ({ label: label.trim(), texts: linesOf(texts) }))
        .filter(({ label, texts }) => label !== '' && texts.length > 0),
    set(examples) {
      keep();
      const byLabel = new Map<string, string[]>();
      for (const { label, text } of examples) {
        const texts = byLabel.get(label) ?? [];
        byLabel.set(label, texts);
        texts.push(text);
      }
      place.replaceChildren(...[...byLabel].map(([label, texts]) => card({ label, texts: texts.join('\n') })));
      onChange();
    },
    save: () => JSON.stringify(cards()),
    restore: (saved) => place.replaceChildren(...(JSON.parse(saved) as Card[]).map(card)),
    add() {
      const made = card({ label: '', texts: '' });
      place.append(made);
      find(made, '.class-name').focus();
    },
  };
}
