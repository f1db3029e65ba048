import type { CaseResult, KernelTime } from './measure';

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
const rate = (value: number): string => value.toFixed(value < 100 ? 1 : 0);

export function columns(rows: string[][]): string {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i < 3 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export const caseTable = (cases: CaseResult[]): string =>
  columns([
    [
      'model',
      'tier',
      'case',
      'docs',
      'tokens',
      'ms',
      'tokens/s',
      'GFLOP/s',
      'of peak',
      'dispatches',
      'useful',
      'memory',
    ],
    ...cases.map((c) => [
      c.model,
      c.tier,
      c.name,
      String(c.sequences),
      String(c.tokens),
      c.ms.toFixed(1),
      rate(c.tokens_per_s),
      rate(c.gflops),
      percent(c.peak_share),
      String(c.dispatches),
      percent(c.useful_flops_share),
      mib(c.peak_bytes),
    ]),
  ]);

export const kernelTable = (kernels: KernelTime[]): string => {
  const total = kernels.reduce((sum, { ms }) => sum + ms, 0);
  return columns([
    ['', 'kernel', '', 'ms', 'of all', 'count', 'GFLOP/s', 'of peak'],
    ...kernels.map(({ label, ms, count, gflops, peak_share }) => [
      '',
      label,
      '',
      ms.toFixed(2),
      percent(ms / total),
      String(count),
      gflops > 0 ? rate(gflops) : '',
      gflops > 0 ? percent(peak_share) : '',
    ]),
  ]);
};
