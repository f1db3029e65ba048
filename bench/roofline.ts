// The roofline plot: each kernel's rate against its arithmetic intensity, under the limits of memory and FMAs.
import { percent } from './print';
import type { KernelTime, Report, SetResult } from './report';
import { escaped, STYLE } from './svg';

type Known = Pick<Report, 'peaks' | 'sets' | 'adapter' | 'runtime' | 'date'>;
interface Point {
  label: string;
  intensity: number;
  gflops: number;
  share: number;
}

const PANEL = { width: 440, height: 330, left: 62, top: 64, gap: 40, legend: 22 };
const pointOf = ({ label, gflops, peak_share, ms, bytes }: KernelTime): Point[] =>
  bytes && gflops > 0 ? [{ label, intensity: (gflops * ms * 1e6) / bytes, gflops, share: peak_share }] : [];

/** The sets to show for one model: the last two fixed-length ones of its fastest tier. */
function setsOf(model: string, sets: SetResult[]): SetResult[] {
  const own = sets.filter((set) => set.model === model && set.kernels && !set.name.startsWith('variable'));
  const fastest = own.reduce<SetResult | undefined>(
    (best, set) => (!best || set.tokens_per_s > best.tokens_per_s ? set : best),
    undefined,
  );
  return own.filter(({ tier }) => tier === fastest?.tier).slice(-2);
}

/** The sets to show, one list per model; only sets with kernel times. */
export const shownSets = (sets: SetResult[]): SetResult[][] =>
  [...new Set(sets.map(({ model }) => model))].map((model) => setsOf(model, sets)).filter((list) => list.length > 0);

/** An SVG with a panel per model, for light and dark pages; undefined if no kernels were timed. */
export function roofline(report: Known): string | undefined {
  const panels = shownSets(report.sets);
  if (panels.length === 0) return undefined;
  const rows = Math.max(...panels.flat().map(({ kernels }) => kernels!.flatMap(pointOf).length));
  const step = PANEL.left + PANEL.width + PANEL.gap;
  const width = panels.length * step;
  const height = PANEL.top + PANEL.height + 62 + (rows + 1) * PANEL.legend;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>Roofline of ${escaped(report.adapter)}</title>
<style>${STYLE}</style>
<rect class="page" width="${width}" height="${height}"/>
<text class="title" x="${PANEL.left}" y="22">${escaped(report.adapter)}</text>
<text class="quiet" x="${PANEL.left}" y="40">${escaped(`${report.runtime}, ${report.date.slice(0, 10)}`)}</text>
${panels.map((sets, i) => `<g transform="translate(${i * step + PANEL.left} ${PANEL.top})">\n${panel(sets, report.peaks)}\n</g>`).join('\n')}
</svg>
`;
}

function panel(sets: SetResult[], { fma_gflops, copy_gb_s }: Report['peaks']): string {
  const { width, height } = PANEL;
  const groups = sets.map(({ kernels }) => kernels!.flatMap(pointOf));
  const all = groups.flat();
  const ridge = fma_gflops / copy_gb_s;
  const x = logScale([ridge / 4, ...all.map(({ intensity }) => intensity)], width);
  const y = logScale([fma_gflops * 1.5, ...all.map(({ gflops }) => gflops)], height);
  const up = (value: number) => height - y.at(value);
  const start = Math.min(ridge, Math.max(x.low, y.low / copy_gb_s)); // where memory's line enters the panel
  const roof = [
    [start, start * copy_gb_s],
    [ridge, fma_gflops],
    [x.high, fma_gflops],
  ].map(([intensity, gflops]) => `${x.at(intensity).toFixed(1)},${up(gflops).toFixed(1)}`);
  const marks = groups.flatMap((points, g) =>
    points.map(({ intensity, gflops }, i) => {
      const at = `translate(${x.at(intensity).toFixed(1)} ${up(gflops).toFixed(1)})`;
      return `<g transform="${at}"><circle class="${classOf(g)}" r="8"/><text class="number" y="3.5">${i + 1}</text></g>`;
    }),
  );
  const names = groups.flatMap((points, g) => [
    `<text x="${(g * width) / 2}" y="${height + 58}"><tspan class="${classOf(g)}">●</tspan> ${escaped(`${sets[g].model} ${sets[g].tier} ${sets[g].name}`)}</text>`,
    ...points.map(
      ({ label, gflops, share }, i) =>
        `<text x="${(g * width) / 2}" y="${height + 58 + (i + 1) * PANEL.legend}">${i + 1} ${escaped(label)} <tspan class="quiet">${short(gflops)} GFLOP/s, ${percent(share)}</tspan></text>`,
    ),
  ]);
  return [
    ...x.ticks.map(
      (tick) =>
        `<path class="grid" d="M${x.at(tick).toFixed(1)} 0V${height}"/><text class="quiet middle" x="${x.at(tick).toFixed(1)}" y="${height + 16}">${short(tick)}</text>`,
    ),
    ...y.ticks.map(
      (tick) =>
        `<path class="grid" d="M0 ${up(tick).toFixed(1)}H${width}"/><text class="quiet end" x="-8" y="${(up(tick) + 4).toFixed(1)}">${short(tick)}</text>`,
    ),
    `<text class="quiet middle" x="${width / 2}" y="${height + 34}">FLOP per byte that must move</text>`,
    `<text class="quiet" transform="translate(-46 ${height / 2 + 30}) rotate(-90)">GFLOP/s</text>`,
    `<polyline class="roof" points="${roof.join(' ')}"/>`,
    `<text class="quiet end" x="${width - 6}" y="${(up(fma_gflops) - 8).toFixed(1)}">FMA peak ${short(fma_gflops)} GFLOP/s; copy ${short(copy_gb_s)} GB/s</text>`,
    ...marks,
    ...names,
  ].join('\n');
}

/** A logarithmic scale of whole decades around the values, `length` pixels long. */
function logScale(values: number[], length: number) {
  const first = Math.floor(Math.log10(Math.min(...values)));
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(...values))));
  return {
    low: 10 ** first,
    high: 10 ** last,
    ticks: Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i)),
    at: (value: number) => ((Math.log10(value) - first) / (last - first)) * length,
  };
}

const classOf = (group: number): string => (group === 0 ? 'first' : 'second');

/** Three significant digits, without an exponent. */
const short = (value: number): string => String(Number(value.toPrecision(3)));
