// Charts of what was measured, by Observable Plot. Their colours are the page's.
import { dot, line, plot, text } from '@observablehq/plot';
import type { SetResult } from '../../bench/report';
import { largest } from '../extremes';
import { count } from '../numbers';

type Chart = SVGSVGElement;

/** A plot as one SVG, without the style element that a strict content security policy forbids; its rules are in benchmark.css. */
function svgOf(options: Parameters<typeof plot>[0], label: string): Chart {
  const chart = plot(options) as unknown as Chart;
  for (const style of chart.querySelectorAll('style')) style.remove();
  for (const part of chart.querySelectorAll('g')) part.ariaLabel = null; // the whole has a label
  chart.classList.add('chart');
  chart.setAttribute('role', 'img');
  chart.ariaLabel = label;
  return chart;
}

/** Tokens a second against documents' length, a line for each model and tier; undefined where only one length was measured. */
export function speedChart(sets: SetResult[], width: number): Chart | undefined {
  const points = sets
    .filter(({ name }) => name.startsWith('fixed'))
    .map((set) => ({ length: set.lengths[0], speed: set.tokens_per_s, line: `${set.model}, ${set.tier}` }));
  if (new Set(points.map(({ length }) => length)).size < 2) return undefined;
  const longest = largest(points.map(({ length }) => length));
  const channels = { x: 'length', y: 'speed', stroke: 'line' };
  return svgOf(
    {
      width,
      height: Math.min(360, Math.max(240, width * 0.45)),
      marginLeft: 64,
      marginRight: Math.min(150, width / 3),
      x: { type: 'log', base: 2, label: 'tokens of each document', ticks: [...new Set(points.map((p) => p.length))] },
      y: { zero: true, grid: true, label: 'tokens a second', tickFormat: (value: number) => count(value) },
      color: { scheme: 'Tableau10' },
      marks: [
        line(points, { ...channels, sort: 'length' }),
        dot(points, { ...channels, fill: 'line', r: 4 }),
        text(
          points.filter(({ length }) => length === longest),
          { x: 'length', y: 'speed', text: 'line', textAnchor: 'start', dx: 10, fill: 'currentColor' },
        ),
      ],
    },
    'Tokens a second against the length of the documents. The table has the numbers.',
  );
}
