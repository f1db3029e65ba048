import { element, find } from '../dom';
import { linesOf } from './lines';

/** The classes with their examples, which the user edits. */
export interface Classes {
  /** Those that have a name and an example. */
  get(): { label: string; texts: string[] }[];
  set(classes: Record<string, string[]>): void;
  add(): void;
}

export function createClasses(place: HTMLElement): Classes {
  function card(label: string, texts: string[]): HTMLElement {
    const name = element('input', { type: 'text', className: 'class-name', value: label });
    const examples = element('textarea', { className: 'class-texts', rows: 4, value: texts.join('\n') });
    const remove = element('button', { type: 'button' }, 'Remove class');
    const made = element(
      'section',
      { className: 'class-card' },
      element('label', {}, 'Class ', name),
      element('label', {}, 'Examples, one per line ', examples),
      remove,
    );
    remove.addEventListener('click', () => made.remove());
    return made;
  }
  return {
    get: () =>
      [...place.querySelectorAll<HTMLElement>('.class-card')]
        .map((made) => ({
          label: find<HTMLInputElement>(made, '.class-name').value.trim(),
          texts: linesOf(find<HTMLTextAreaElement>(made, '.class-texts').value),
        }))
        .filter(({ label, texts }) => label !== '' && texts.length > 0),
    set: (classes) => place.replaceChildren(...Object.entries(classes).map(([label, texts]) => card(label, texts))),
    add() {
      const made = card('', []);
      place.append(made);
      find(made, '.class-name').focus();
    },
  };
}
