/** The result for readers: a table on the terminal. */
import type { Speed } from './summary';

/** Speed for the result's file. */
export const speedOf = ({ tokens, seconds }: Speed) => ({
  tokens,
  seconds: Number(seconds.toFixed(3)),
  tokensPerSecond: tokens > 0 && seconds > 0 ? Math.round(tokens / seconds) : null,
});

/** Names of metrics as papers write them. */
const TITLES: Record<string, string> = {
  accuracy: 'accuracy',
  f1: 'F1',
  macroF1: 'macro F1',
  mcc: 'MCC',
  pearson: 'Pearson',
  spearman: 'Spearman',
};

const titleOf = (metric: string): string => TITLES[metric] ?? metric.replace(/^ndcg/, 'nDCG').replace(/^mrr/, 'MRR');

export interface TableRow {
  name: string;
  metrics: Record<string, number | null>;
  tokensPerSecond: number | null;
}

/** Metrics with four digits, a row per stage; – for what is not defined or has no tokens. */
export function metricsTable(rows: readonly TableRow[]): string {
  const names = Object.keys(rows[0].metrics);
  const cells = [
    ['', ...names.map(titleOf), 'tokens/s'],
    ...rows.map(({ name, metrics, tokensPerSecond }) => [
      name,
      ...names.map((metric) => (Number.isFinite(metrics[metric]) ? metrics[metric]!.toFixed(4) : '–')),
      tokensPerSecond?.toLocaleString('en') ?? '–',
    ]),
  ];
  const widths = cells[0].map((_, column) => cells.reduce((most, row) => Math.max(most, row[column].length), 0));
  const line = (row: string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ');
  return cells.map(line).join('\n');
}
