import type { Bar, KernelTime, QueryResult, SetResult, WindowTime } from './report';
import { sum } from './statistics';

export const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
export const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
export const rate = (value: number): string => value.toFixed(value < 100 ? 1 : 0);
export const milliseconds = (ms: number): string => ms.toFixed(ms < 10 ? 2 : ms < 1000 ? 1 : 0);

/** A plain-text table; the first `names` columns are left-aligned, the others right-aligned. */
export function columns(rows: Table, names = 3): string {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i < names ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The same in Markdown. */
export const markdownTable = ([header, ...rows]: Table, names: number): string =>
  [header, header.map((_, i) => (i < names ? '---' : '---:')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');

/** Rows of cells, the header first. The demo shows the same tables. */
export type Table = string[][];

export const setTable = (sets: SetResult[]): Table => [
  ['model', 'tier', 'set', 'docs', 'tokens', 'ms', 'tokens/s', 'GFLOP/s', 'of peak', 'dispatches', 'useful', 'memory'],
  ...sets.map((set) => [
    set.model,
    set.tier,
    set.name,
    String(set.sequences),
    String(set.tokens),
    milliseconds(set.ms),
    rate(set.tokens_per_s),
    rate(set.gflops),
    percent(set.peak_share),
    String(set.dispatches),
    percent(set.useful_flops_share),
    mib(set.peak_bytes),
  ]),
];

export const queryTable = (queries: QueryResult[]): Table => [
  ['model', 'tier', 'query', 'median ms', 'p90', 'tokenise', 'encode', 'GPU', 'readback'],
  ...queries.map(({ model, tier, name, median_ms, p90_ms, split_ms: { tokenize, encode, gpu, readback } }) => [
    model,
    tier,
    name,
    ...[median_ms, p90_ms, tokenize, encode, gpu, readback].map((ms) => (ms === undefined ? '' : milliseconds(ms))),
  ]),
];

export const kernelTable = (kernels: KernelTime[]): Table => {
  const total = sum(kernels.map(({ ms }) => ms));
  return [
    ['kernel', 'ms', 'of all', 'count', 'GFLOP/s', 'of peak', 'MB', 'GB/s'],
    ...kernels.map(({ label, ms, count, gflops, peak_share, bytes, gb_s }) => [
      label,
      ms.toFixed(2),
      percent(ms / total),
      String(count),
      gflops > 0 ? rate(gflops) : '',
      gflops > 0 ? percent(peak_share) : '',
      bytes === undefined ? '' : rate(bytes / 1e6),
      gb_s === undefined ? '' : rate(gb_s),
    ]),
  ];
};

export const windowTable = (windows: WindowTime[]): Table => [
  ['model', 'tier', 'window attention', 'ms', 'us per token'],
  ...windows.map(({ model, tier, tokens, ms, us_per_token }) => [
    model,
    tier,
    `${tokens} tokens`,
    ms.toFixed(2),
    us_per_token.toFixed(2),
  ]),
];

const amount = (value: number, as: Bar['as']): string =>
  as === 'percent' ? percent(value) : as === 'times' ? `${value.toFixed(2)}x` : String(Math.round(value * 10) / 10);

export const barTable = (bars: Bar[]): Table => [
  ['bar', 'where', '', 'value', 'bar'],
  ...bars.map(({ name, where, value, bar, is, as, met }) => [
    name,
    where,
    met === undefined ? '' : met ? 'met' : 'NOT MET',
    value === undefined ? '' : amount(value, as),
    `${is === 'at least' ? '>=' : '<='} ${amount(bar, as)}`,
  ]),
];
