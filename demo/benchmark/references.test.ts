import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { REFERENCES, type Reference, referencesFor } from './references';

/** Speed, date and commit of a row as its file has them. */
function fromFile({ file, entry }: Reference) {
  const report = JSON.parse(readFileSync(`bench/results/${file}`, 'utf8'));
  const { date, commit } = report;
  if (entry === 'measured ids') return { date, commit, tokens_per_s: report.measured.ids.tokens_per_s };
  const sets = report.sets?.map((set: Record<string, unknown>) => ({
    ...set,
    is: `${set.model} ${set.tier} ${set.name}`,
  }));
  const results = report.results?.map((result: Record<string, unknown>) => ({ ...result, is: result.name }));
  const { tokens_per_s } = [...(sets ?? []), ...(results ?? [])].find(({ is }) => is === entry);
  return { date, commit, tokens_per_s };
}

it.each(REFERENCES)('$device in $arithmetic is what $file says', (row) => {
  const { date, commit, tokens_per_s } = fromFile(row);
  expect(row.tokens_per_s).toBe(Math.round(tokens_per_s));
  expect(row.date).toBe(date.slice(0, 10));
  expect(row.commit).toBe(commit);
});

it('picks a row per device, of the same arithmetic where there is one, the fastest first', () => {
  const row = (device: string, arithmetic: 'f32' | 'f16', tokens_per_s: number) =>
    ({ device, arithmetic, tokens_per_s }) as Reference;
  const all = [row('cpu', 'f32', 10), row('card', 'f32', 100), row('card', 'f16', 150)];
  const picked = (arithmetic: 'f32' | 'f16') => referencesFor(arithmetic, all).map(({ tokens_per_s }) => tokens_per_s);
  expect(picked('f32')).toEqual([100, 10]);
  expect(picked('f16')).toEqual([150, 10]);
});
