// The plot of --compare: a panel per set, each model's tokens per second as a multiple of its class's ModernBERT.
import { type ComparedSet, type Comparison, comparedSets } from './compare-report';
import type { Environment } from './report';
import { escaped, STYLE } from './svg';

const ROW = 22;
const NAMES = 140;
const PANEL = { width: 290, gap: 50, head: 34, foot: 40 };
const TOP = 68;
const BAR = 12;
/** Panels side by side; below each other, those of 512 and of 8192 tokens. */
const ACROSS = 2;

/** An SVG for light and dark pages; undefined if nothing was measured beside a ModernBERT. Bars: this run; diamonds: the paper's RTX 4090. */
export function comparePlot(comparison: Comparison & Pick<Environment, 'date' | 'runtime'>): string | undefined {
  const rows = comparedSets(comparison).filter((row) => row.times_modernbert !== undefined && !row.is_modernbert);
  if (rows.length === 0) return undefined;
  const sets = [...new Set(rows.map(({ set }) => set.name))];
  const most = Math.max(1, ...rows.flatMap((row) => [row.times_modernbert!, row.paper_times_modernbert ?? 0]));
  const scale = (value: number) => (value / (Math.ceil(most * 4) / 4)) * PANEL.width;
  const lines: string[] = [];
  let top = TOP;
  for (let first = 0; first < sets.length; first += ACROSS) {
    const side = sets.slice(first, first + ACROSS);
    const names = [...new Set(rows.filter(({ set }) => side.includes(set.name)).map(({ model }) => model.name))];
    const y = top + PANEL.head;
    lines.push(
      ...names.map((name, i) => `<text class="end" x="${NAMES - 10}" y="${y + i * ROW + 15}">${escaped(name)}</text>`),
      ...side.map((set, i) => {
        const x = NAMES + i * (PANEL.width + PANEL.gap);
        const own = rows.filter((row) => row.set.name === set);
        return `<g transform="translate(${x} ${y})">\n${panel(set, own, names, scale)}\n</g>`;
      }),
    );
    top = y + names.length * ROW + PANEL.foot;
  }
  const width = NAMES + ACROSS * (PANEL.width + PANEL.gap);
  const { adapter, runtime, date, layers } = comparison;
  const how = `${runtime}, ${date.slice(0, 10)}${layers ? `, ${layers === 1 ? 'one layer' : `${layers} layers`} of each model` : ''}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${top}" width="${width}" height="${top}" role="img">
<title>Tokens per second beside ModernBERT of the same size, on ${escaped(adapter)}</title>
<style>${STYLE} .value { fill: var(--quiet); stroke: var(--page); stroke-width: 4px; paint-order: stroke; }</style>
<rect class="page" width="${width}" height="${top}"/>
<text class="title" x="20" y="24">Tokens per second, as a multiple of ModernBERT's of the same size</text>
<text class="quiet" x="20" y="44"><tspan class="first">■</tspan> ${escaped(`${adapter}, ${how}`)}</text>
<text class="quiet" x="20" y="62"><tspan class="second">◆</tspan> the paper's RTX 4090 with PyTorch</text>
${lines.join('\n')}
</svg>
`;
}

function panel(name: string, rows: ComparedSet[], names: string[], scale: (value: number) => number): string {
  const bottom = names.length * ROW;
  const one = scale(1).toFixed(1);
  return [
    `<text class="title" y="-8">${escaped(name)}</text>`,
    `<path class="roof" d="M${one} 0V${bottom}"/><text class="quiet middle" x="${one}" y="${bottom + 16}">ModernBERT</text>`,
    ...rows.map(({ model, times_modernbert, paper_times_modernbert }) => {
      const at = names.indexOf(model.name) * ROW;
      const length = scale(times_modernbert!);
      const paper = paper_times_modernbert === undefined ? undefined : scale(paper_times_modernbert);
      // Beyond a mark that would cover it.
      const end = paper !== undefined && paper > length - 8 && paper < length + 44 ? Math.max(paper, length) : length;
      const value = `<text class="value" x="${(end + 10).toFixed(1)}" y="${at + 15}">${times_modernbert!.toFixed(2)}</text>`;
      const bar = `<rect class="first" y="${at + 5}" width="${length.toFixed(1)}" height="${BAR}"/>${value}`;
      if (paper === undefined) return bar;
      return `${bar}<path class="second" transform="translate(${paper.toFixed(1)} ${at + 11})" d="M0 -7L6 0L0 7L-6 0Z"/>`;
    }),
  ].join('\n');
}
