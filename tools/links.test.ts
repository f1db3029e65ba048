import { expect, test } from 'vitest';
import { anchorOf, withLinksInside } from './links.mjs';

const files = ['docs/guide/b.md', 'docs/c.svg'];
const place = { file: 'docs/guide/a.md', holds: (path: string) => files.includes(path), folder: 'cli' };
const text = '[b](b.md#x), ![c](../c.svg), [d](../../src/d.ts#e), [f](https://f.org/), [g](#h)';

test('links to files that a place does not hold are text, or lead to the repository', () => {
  const json = { version: '1.2.3' };
  expect(withLinksInside(text, { ...place, json })).toBe(
    '[b](b.md#x), ![c](../c.svg), d, [f](https://f.org/), [g](#h)',
  );
  const repository = { url: 'git+https://example.org/a/b.git' };
  expect(withLinksInside(text, { ...place, json: { ...json, repository } })).toBe(
    '[b](b.md#x), ![c](../c.svg), [d](https://example.org/a/b/blob/v1.2.3/cli/src/d.ts#e), [f](https://f.org/), [g](#h)',
  );
});

test('anchors are those of GitHub', () => {
  expect(anchorOf('`auto`')).toBe('auto');
  expect(anchorOf('loadModel (Node)')).toBe('loadmodel-node');
  expect(anchorOf('Vite 5, 6 and 7: “naïve” — a_b')).toBe('vite-5-6-and-7-naïve--a_b');
});
