import { element } from '../dom';
import { count, percent } from '../numbers';
import type { Score } from './ranking';
import type { Document } from './store';

/** Classes up to which each has a button; more are in a menu. */
const BUTTONS = 6;
/** Characters of a text that are shown closed, and open. */
const FIRST = 160;
const SHOWN = 2000;

export interface RowState {
  classes: readonly string[];
  label: string | undefined;
  /** Best first; undefined while there are none. */
  scores: Score[] | undefined;
}

/** A probability; none that a model gives is certain. */
const sureness = (score: number): string => (score > 0.99 ? 'over 99%' : percent(score, 0));

/** One file in the list. */
export interface Row {
  element: HTMLLIElement;
  update(state: RowState): void;
  /** Whether it is the one that Tab goes to. */
  setCurrent(isCurrent: boolean): void;
  toggle(): void;
}

/** `onChoose` hears of a class that the user chose; undefined if the label is taken away. */
export function createRow(
  { names, text }: Document,
  on: { choose(label: string | undefined): void; remove(): void },
): Row {
  const [name] = names;
  const beginning = text
    .slice(0, 4 * FIRST)
    .replace(/\s+/g, ' ')
    .trim();
  const state = element('span', { className: 'count doc-state' });
  const bar = element('span', { className: 'bar' });
  const choice = element('div', { className: 'doc-classes' });
  const summary = element(
    'summary',
    { className: 'doc-words' },
    beginning.length > FIRST ? `${beginning.slice(0, FIRST)}…` : beginning,
  );
  const details = element('details', {}, summary);
  const also =
    names.length > 1
      ? [element('span', { className: 'count', title: names.join('\n') }, `${count(names.length)} copies`)]
      : [];
  const item = element(
    'li',
    { className: 'doc', tabIndex: -1 },
    element('div', { className: 'doc-head' }, element('span', { className: 'name' }, name), ...also, state),
    element('div', { className: 'doc-bar', ariaHidden: 'true' }, bar),
    choice,
    details,
  );
  let isCurrent = false;
  let drawn = '';
  let shown: RowState = { classes: [], label: undefined, scores: undefined };

  details.addEventListener('toggle', () => {
    if (!details.open || details.childElementCount > 1) return;
    const remove = element('button', { type: 'button' }, 'Remove from the list');
    remove.addEventListener('click', on.remove);
    const cut = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
    details.append(element('p', { className: 'doc-text' }, cut), remove);
  });

  const pick = (label: string) => on.choose(label === shown.label ? undefined : label);
  function makeChoice(classes: readonly string[]) {
    if (classes.length > BUTTONS) {
      const select = element(
        'select',
        { ariaLabel: `Class of ${name}` },
        new Option('', ''),
        ...classes.map((one) => new Option(one, one)),
      );
      select.addEventListener('change', () => on.choose(select.value || undefined));
      return [select];
    }
    return classes.map((label) => {
      const button = element('button', { type: 'button', value: label }, label);
      button.addEventListener('click', ({ detail }) => detail < 2 && pick(label)); // a double click is one choice
      return button;
    });
  }

  const setTabs = () => {
    item.tabIndex = isCurrent ? 0 : -1;
    for (const part of item.querySelectorAll<HTMLElement>('button, select, summary'))
      part.tabIndex = isCurrent ? 0 : -1;
  };

  return {
    element: item,
    update(next) {
      if (next.classes.join('\n') !== shown.classes.join('\n')) {
        choice.replaceChildren(...makeChoice(next.classes));
        setTabs();
      }
      shown = next;
      const { label } = next;
      const best = label === undefined ? next.scores?.[0] : undefined;
      const said = JSON.stringify([next.classes, label, best]);
      if (said === drawn) return; // of hundreds of files few change at a time
      drawn = said;
      for (const button of choice.querySelectorAll('button')) {
        button.ariaPressed = String(button.value === label);
        button.classList.toggle('guess', button.value === best?.label);
      }
      const select = choice.querySelector('select');
      if (select) {
        // The guess stands in the empty choice, so that it can be chosen as well.
        select.options[0].textContent = best ? `${best.label}?` : '';
        select.value = label ?? '';
        select.classList.toggle('guess', best !== undefined);
      }
      item.classList.toggle('labelled', label !== undefined);
      bar.style.setProperty('--share', String(best?.score ?? 0));
      state.textContent = label !== undefined ? 'your label' : best ? `guess ${sureness(best.score)}` : '';
      const words =
        label !== undefined
          ? `${label}, your label`
          : best
            ? `guess ${best.label}, ${sureness(best.score)}`
            : 'no class yet';
      item.ariaLabel = `${name}: ${words}`;
    },
    setCurrent(on) {
      if (isCurrent === on) return;
      isCurrent = on;
      setTabs();
    },
    toggle() {
      details.open = !details.open;
    },
  };
}
