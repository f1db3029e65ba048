// The results as tables, bars and a plot.
import { barTable, kernelTable, mib, percent, queryTable, rate, setTable, windowTable } from '../../bench/print';
import type { KernelTime, Report } from '../../bench/report';
import { roofline, shownSets } from '../../bench/roofline';
import { element } from '../dom';
import { largest } from '../extremes';
import { resultTable } from './tables';

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

/** Everything of a report that a page shows; `chart` is that of speed against length. */
export function resultElements(report: Report, chart: SVGSVGElement | undefined): (HTMLElement | SVGSVGElement)[] {
  const { peaks, sets, queries, windows, bars } = report;
  const timed = sets.filter(({ kernels }) => kernels);
  const plot = roofline(report);
  const memory = largest(sets.map(({ peak_bytes }) => peak_bytes));
  const peakText = `In this run the device's best was ${rate(peaks.fma_gflops)} GFLOP/s on FMAs alone and ${rate(peaks.copy_gb_s)} GB/s on copies alone. The sets took at most ${mib(memory)} of GPU memory, weights included.`;
  return [
    element('p', { textContent: peakText }),
    ...(chart ? [chart] : []),
    resultTable(setTable(sets), 'Sets of documents'),
    resultTable(queryTable(queries), 'One search query at a time, medians in milliseconds'),
    ...(plot
      ? [
          element('img', {
            src: `data:image/svg+xml,${encodeURIComponent(plot)}`,
            alt: 'Roofline plot: rate of each kernel over its arithmetic intensity. The tables below have the numbers.',
          }),
        ]
      : []),
    ...shownSets(sets)
      .flat()
      .map(({ model, tier, name, kernels }) =>
        kernelBars(kernels!, `${model}, ${tier}, ${name}: share of the FMA peak`),
      ),
    ...(windows.length > 0 ? [resultTable(windowTable(windows), 'Window attention by length')] : []),
    resultTable(barTable(bars), "The project's bars"),
    ...timed.map(({ model, tier, name, kernels }) => {
      const caption = `${model}, ${tier}, ${name}: every kernel`;
      return element(
        'details',
        {},
        element('summary', { textContent: caption }),
        resultTable(kernelTable(kernels!), caption),
      );
    }),
  ];
}
