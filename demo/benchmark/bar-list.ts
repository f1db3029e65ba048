// Bars of what is compared, as a list that screen readers read as text.
import { element } from '../dom';
import { largest, smallest } from '../extremes';

/** `value` gives the length, `text` says it. */
export interface BarRow {
  label: string;
  detail: string;
  value: number;
  text: string;
  isOwn: boolean;
}

/** The powers of ten that enclose some positive numbers, as exponents. */
export function decades(values: number[]): [low: number, high: number] {
  const low = Math.floor(Math.log10(smallest(values)));
  return [low, Math.max(low + 1, Math.ceil(Math.log10(largest(values))))];
}

/** Each value's place between the ends of the scale, 0 … 1: from zero, or between powers of ten. */
export function sharesOf(values: number[], scale: 'linear' | 'log'): number[] {
  if (scale === 'linear') return values.map((value) => value / largest(values));
  const [low, high] = decades(values);
  return values.map((value) => (Math.log10(value) - low) / (high - low));
}

/** A row each: bars from zero, or dots on a scale of powers of ten, as a bar's length says nothing there. */
export function barList(rows: BarRow[], scale: 'linear' | 'log'): HTMLElement {
  const values = rows.map(({ value }) => value);
  const shares = sharesOf(values, scale);
  const items = rows.map(({ label, detail, text, isOwn }, i) => {
    const bar = element('span', { className: 'bar' });
    bar.style.setProperty('--share', String(shares[i]));
    const name = element('span', { className: 'bar-name' }, label, ' ', element('small', { textContent: detail }));
    return element('li', { className: isOwn ? 'own' : '' }, name, bar, element('span', { textContent: text }));
  });
  const list = element('ul', { className: `bars ${scale}` }, ...items);
  if (scale === 'log') list.append(axis(...decades(values)));
  return list;
}

function axis(low: number, high: number): HTMLElement {
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => {
    const tick = element('span', { textContent: Number(10 ** (low + i)).toLocaleString('en') });
    tick.style.setProperty('--share', String(i / (high - low)));
    return tick;
  });
  const item = element('li', { className: 'axis' }, element('span'), element('span', { className: 'ticks' }, ...ticks));
  item.ariaHidden = 'true';
  return item;
}
