import type { Table } from '../../bench/print';
import { element } from '../dom';

/** A table whose columns stand to the right where they hold numbers. */
export function resultTable([header, ...rows]: Table, caption: string): HTMLElement {
  const isNumber = header.map((_, column) => rows.some((row) => /^[\d.]+[%x]?$/.test(row[column])));
  const cell = (tag: 'td' | 'th', text: string, column: number) =>
    element(tag, { textContent: text, className: isNumber[column] ? 'number' : '' });
  const made = element(
    'table',
    {},
    element('caption', { textContent: caption }),
    element('thead', {}, element('tr', {}, ...header.map((text, i) => cell('th', text, i)))),
    element('tbody', {}, ...rows.map((row) => element('tr', {}, ...row.map((text, i) => cell('td', text, i))))),
  );
  return element('div', { className: 'scroll', tabIndex: 0 }, made);
}
