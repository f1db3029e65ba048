import { expect, it } from 'vitest';
import { type Entry, parseEntries, withEntry } from './history';

const entry = (text: string, time: number, more: Partial<Entry> = {}): Entry => ({
  mode: 'fill',
  text,
  model: 'nano',
  time,
  ...more,
});
const MINUTE = 60_000;
const textsOf = (entries: Entry[]) => entries.map(({ text }) => text);

it('has the newest text first, every text once, and twenty at most', () => {
  let entries: Entry[] = [];
  for (let i = 0; i < 25; i++) entries = withEntry(entries, entry(`text ${i} [MASK]`, i * MINUTE));
  expect(entries).toHaveLength(20);
  expect(entries[0].text).toBe('text 24 [MASK]');
  entries = withEntry(entries, entry('text 10 [MASK]', 30 * MINUTE, { model: 'other' }));
  expect(entries).toHaveLength(20);
  expect(entries[0]).toMatchObject({ text: 'text 10 [MASK]', model: 'other' });
  expect(withEntry(entries, entry('text 10 [MASK]', 31 * MINUTE, { mode: 'surprise' }))[1].mode).toBe('fill');
});

it('keeps of a text being typed what it has become, and both of texts that differ or rested', () => {
  const typed = ['A [MASK]', 'A [MASK] sat', 'A big [MASK] sat'].reduce(
    (entries, text, i) => withEntry(entries, entry(text, i * 1000)),
    [] as Entry[],
  );
  expect(textsOf(typed)).toEqual(['A big [MASK] sat']);
  expect(textsOf(withEntry(typed, entry('A big [MASK] [MASK]', 3000)))).toEqual([
    'A big [MASK] [MASK]',
    'A big [MASK] sat',
  ]);
  expect(textsOf(withEntry(typed, entry('A big [MASK] sat down', MINUTE)))).toHaveLength(2);
});

it('keeps no more characters than a device should', () => {
  const long = withEntry([entry('a'.repeat(60_000), 0)], entry('b'.repeat(60_000), MINUTE));
  expect(textsOf(long)).toEqual(['b'.repeat(60_000)]);
  expect(withEntry(long, entry('c'.repeat(200_000), 2 * MINUTE))).toEqual(long);
});

it('reads what was kept, and nothing of what is no history', () => {
  const kept = [entry('A [MASK]', 5, { targets: 'he' })];
  expect(parseEntries(JSON.stringify(kept))).toEqual(kept);
  expect(parseEntries(JSON.stringify([{ time: 3 }, 4, null, { text: 'x', time: 1, mode: 'odd' }]))).toEqual([
    { text: 'x', time: 1, mode: 'fill', model: '' },
  ]);
  const odd = [
    { text: 'x', time: 1e20 },
    { text: 'x', time: 1, second: {} },
    { text: 'x', time: 1, targets: 5 },
  ];
  expect(parseEntries(JSON.stringify(odd))).toEqual([]);
  expect([undefined, '{"a":1}', 'no JSON'].map(parseEntries)).toEqual([[], [], []]);
});
