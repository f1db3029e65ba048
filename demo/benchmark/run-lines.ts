import { element } from '../dom';

/** Results of a run in lines, before `results` shows all of them. Those of a run that was stopped stay. */
export function createLines(results: HTMLElement): { add(line: string): void; clear(): void } {
  const list = element('ul', { className: 'run-lines', ariaLabel: 'Measured so far', hidden: true });
  results.before(list);
  return {
    add(line) {
      list.hidden = false;
      list.append(element('li', {}, line));
    },
    clear() {
      list.hidden = true;
      list.replaceChildren();
    },
  };
}
