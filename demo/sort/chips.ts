import { element } from '../dom';
import { count } from '../numbers';

interface Chip {
  item: HTMLElement;
  update(name: string, size: number): void;
}

/** The classes as fields, in which they are renamed, each with its key and how many files it has. `rename` says whether the name was taken. */
export function createChips(
  place: HTMLElement,
  on: { rename(old: string, name: string): boolean; remove(name: string): void },
): (classes: readonly string[], sizes: ReadonlyMap<string, number>) => void {
  const chips: Chip[] = [];

  function chip(i: number): Chip {
    let name = '';
    const field = element('input', { type: 'text', autocomplete: 'off', ariaLabel: `Name of class ${i + 1}` });
    const size = element('span', { className: 'count' });
    const remove = element('button', { type: 'button' }, '×');
    const rename = () => {
      if (field.value !== name && !on.rename(name, field.value)) field.value = name;
    };
    field.addEventListener('change', rename);
    field.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') rename();
    });
    remove.addEventListener('click', () => on.remove(name));
    const key = i < 9 ? [element('kbd', { ariaHidden: 'true' }, String(i + 1))] : [];
    return {
      item: element('li', {}, ...key, field, size, remove),
      update(next, files) {
        if (next !== name) {
          name = next;
          field.value = next;
          remove.ariaLabel = `Remove class ${next}`;
        }
        size.textContent = count(files);
      },
    };
  }

  return (classes, sizes) => {
    while (chips.length < classes.length) {
      const made = chip(chips.length);
      chips.push(made);
      place.append(made.item);
    }
    for (const extra of chips.splice(classes.length)) extra.item.remove();
    for (const [i, name] of classes.entries()) chips[i].update(name, sizes.get(name) ?? 0);
  };
}
