// The results as tables, bars and a plot.
import { barTable, kernelTable, percent, queryTable, rate, setTable, type Table, windowTable } from '../../bench/print';
import type { KernelTime, Report } from '../../bench/report';
import { roofline } from '../../bench/roofline';
import { element } from '../dom';

/** A table whose columns stand to the right where they hold numbers. */
function table([header, ...rows]: Table, caption: string): HTMLElement {
  const isNumber = header.map((_, column) => rows.some((row) => /^[\d.]+%?$/.test(row[column])));
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

/** A bar for every kernel that multiplies: its share of the FMA peak. */
function kernelBars(kernels: KernelTime[], caption: string): HTMLElement {
  const items = kernels
    .filter(({ gflops }) => gflops > 0)
    .map(({ label, gflops, peak_share }) => {
      const bar = element('span', { className: 'bar' });
      bar.style.setProperty('--share', String(Math.min(1, peak_share)));
      const value = `${percent(peak_share)}, ${rate(gflops)} GFLOP/s`;
      return element('li', {}, element('span', { textContent: label }), bar, element('span', { textContent: value }));
    });
  return element(
    'figure',
    {},
    element('figcaption', { textContent: caption }),
    element('ul', { className: 'bars' }, ...items),
  );
}

/** Everything of a report that a page shows. */
export function resultElements(report: Report): HTMLElement[] {
  const { peaks, sets, queries, windows, bars } = report;
  const timed = sets.filter(({ kernels }) => kernels);
  const plot = roofline(report);
  const peakText = `In this run the device's best was ${rate(peaks.fma_gflops)} GFLOP/s on FMAs alone and ${rate(peaks.copy_gb_s)} GB/s on copies alone.`;
  return [
    element('p', { textContent: peakText }),
    table(setTable(sets), 'Sets of documents'),
    table(queryTable(queries), 'One search query at a time, medians in milliseconds'),
    ...(plot
      ? [
          element('img', {
            src: `data:image/svg+xml,${encodeURIComponent(plot)}`,
            alt: 'Roofline plot: rate of each kernel over its arithmetic intensity. The tables below have the numbers.',
          }),
        ]
      : []),
    ...timed.map(({ model, tier, name, kernels }) =>
      kernelBars(kernels!, `${model}, ${tier}, ${name}: share of the FMA peak`),
    ),
    ...(windows.length > 0 ? [table(windowTable(windows), 'Window attention by length')] : []),
    table(barTable(bars), "The project's bars"),
    ...timed.map(({ model, tier, name, kernels }) => {
      const caption = `${model}, ${tier}, ${name}: every kernel`;
      return element(
        'details',
        {},
        element('summary', { textContent: caption }),
        table(kernelTable(kernels!), caption),
      );
    }),
  ];
}
