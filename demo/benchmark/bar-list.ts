// Bars of what is compared, as a list that screen readers read as text.
import { element } from '../dom';
import { largest, smallest } from '../extremes';

/** `value` gives the length, `text` says it; without a value there is none yet. */
export interface BarRow {
  label: string;
  detail: string;
  value: number | undefined;
  text: string;
  isOwn: boolean;
}

export type Scale = 'linear' | 'log';

/** The powers of ten that enclose some positive numbers, as exponents. */
export function decades(values: number[]): [low: number, high: number] {
  const low = Math.floor(Math.log10(smallest(values)));
  return [low, Math.max(low + 1, Math.ceil(Math.log10(largest(values))))];
}

const known = (values: (number | undefined)[]): number[] => values.filter((value) => value !== undefined);

/** Each value's place between the ends of the scale, 0 … 1: from zero, or between powers of ten. */
export function sharesOf(values: (number | undefined)[], scale: Scale): (number | undefined)[] {
  const longest = largest(known(values));
  if (scale === 'linear') return values.map((value) => value && value / longest);
  const [low, high] = decades(known(values));
  return values.map((value) => value && (Math.log10(value) - low) / (high - low));
}

/** A row each: bars from zero, or dots on a scale of powers of ten, where the length of a bar says nothing. */
export function barList(rows: BarRow[], scale: Scale): HTMLElement {
  const values = rows.map(({ value }) => value);
  const shares = sharesOf(values, scale);
  const items = rows.map(({ label, detail, text, isOwn }, i) => {
    const bar = element('span', { className: 'bar' });
    const share = shares[i];
    if (share === undefined) bar.classList.add('empty');
    else bar.style.setProperty('--share', String(share));
    const name = element('span', { className: 'bar-name' }, label, ' ', element('small', { textContent: detail }));
    return element('li', { className: isOwn ? 'own' : '' }, name, bar, element('span', { textContent: text }));
  });
  if (scale === 'log') items.push(axis(...decades(known(values))));
  return element('ul', { className: `bars ${scale}` }, ...items);
}

/** The powers of ten under the dots; the rows say the numbers. */
function axis(low: number, high: number): HTMLLIElement {
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => {
    const tick = element('span', { textContent: Number(10 ** (low + i)).toLocaleString('en') });
    tick.style.setProperty('--share', String(i / (high - low)));
    return tick;
  });
  const item = element('li', { className: 'axis' }, element('span'), element('span', { className: 'ticks' }, ...ticks));
  item.ariaHidden = 'true';
  return item;
}
