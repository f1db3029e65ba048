import { expect, test } from 'vitest';
import { type Compiled, type Impossible, problemsOf, table } from './report';

const compiled: Compiled[] = [
  {
    compiler: 'Naga',
    adapter: 'llvmpipe',
    outcomes: [
      { design: 'pool', outcome: { name: 'pool, mean' } },
      { design: 'pool', outcome: { name: 'pool, max', error: 'no max' } },
      { design: 'pool', outcome: { name: 'pool, cls', error: 'no max here either' } },
      { design: 'top_k', outcome: { name: 'top_k', lacks: 'subgroups' } },
    ],
  },
  { compiler: 'ACO', adapter: '', outcomes: [{ design: 'pool', outcome: { name: 'pool, mean' } }] },
];
const impossible: Impossible[] = [
  { compiler: 'ACO', lacks: 'shader-f16', reason: 'an old card' },
  { compiler: 'Naga', lacks: 'subgroups', reason: 'not yet' },
];

test('every refusal without a reason is a problem, one per design, and every reason without a refusal', () => {
  expect(problemsOf(compiled, impossible)).toEqual([
    'Naga refuses 2 of pool. The first is pool, max: no max',
    "ACO refuses nothing for the reason 'an old card'. Remove it from the list.",
  ]);
  const known = [impossible[1], { compiler: 'Naga', error: /no max/, reason: 'max is new' }];
  expect(problemsOf(compiled, known)).toEqual([]);
});

test('a reason counts for its own compiler and its own kind of refusal only', () => {
  const wrong: Impossible[] = [
    { compiler: 'ACO', error: /no max/, reason: 'of another' },
    { compiler: 'Naga', error: /subgroups/, reason: 'a feature is no message' },
  ];
  expect(problemsOf(compiled, wrong)).toHaveLength(4);
  expect(problemsOf(compiled, wrong)[1]).toBe('Naga refuses 1 of top_k. The first is top_k: it needs subgroups');
});

test('a compiler that was given nothing is a problem', () => {
  expect(problemsOf([{ compiler: 'Tint', adapter: '', outcomes: [] }], [])).toEqual(['Tint: nothing was compiled']);
});

test('the table counts what compiles and numbers the reasons', () => {
  expect(table(compiled, impossible)).toBe(
    `| shader, tile | Naga | ACO |
| --- | --- | --- |
| pool | 1, 2 REFUSED | 1 |
| top_k | 1 not (2) |  |
| **all** | 1 of 4 | 1 of 1 |

(1) ACO: an old card.

(2) Naga: not yet.
`,
  );
});
