import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { EMBEDDERS } from '../models/built-in';
import { boundsOf } from './bounds';

const measured = readFileSync(new URL('../../training/eval/results/bounds.md', import.meta.url), 'utf8');

/** Rows of a model's table: cosine, questions that the text answers and of those the ones that were right, questions that it does not answer. */
function rowsOf(model: string) {
  const section = measured.split('\n## ').find((part) => part.startsWith(`${model}, late chunking`)) ?? '';
  return [...section.matchAll(/^\| ([\d.]+) \| (\d+) \| (\d+)% \| (\d+) \|/gm)].map(([, ...cells]) => {
    const [from, own, percent, others] = cells.map(Number);
    return { from, all: own + others, right: (own * percent) / 100 };
  });
}

it.each(EMBEDDERS)('$name: the bounds are what was measured', ({ name }) => {
  const rows = rowsOf(name);
  const { likely, maybe } = boundsOf(name)!;
  const share = (some: typeof rows) =>
    some.reduce((sum, { right }) => sum + right, 0) / some.reduce((sum, { all }) => sum + all, 0);
  expect(rows.reduce((sum, { all }) => sum + all, 0)).toBe(470);
  expect(share(rows.filter(({ from }) => from >= likely))).toBeGreaterThan(0.5);
  expect(share(rows.filter(({ from }) => from < maybe))).toBeLessThan(0.05);
  const next = rows.find(({ from }) => from === maybe)!;
  expect(next.right / next.all).toBeGreaterThan(0.05); // a lower bound would not do
});
