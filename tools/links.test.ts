import { expect, test } from 'vitest';
import { anchorOf, withLinksInside, withoutRepositoryParts } from './links.mjs';

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

test('a link that stands alone in brackets is left out with them', () => {
  const json = { version: '1.2.3' };
  const bracketed = 'on tables ([guide](../../x.md)), by text ([b](b.md)) and ([d](../../d.ts#e), more).';
  expect(withLinksInside(bracketed, { ...place, json })).toBe('on tables, by text ([b](b.md)) and (d, more).');
  expect(withLinksInside(bracketed, { ...place, json: { ...json, repository: { url: 'https://e.org/a' } } })).toBe(
    'on tables ([guide](https://e.org/a/blob/v1.2.3/cli/x.md)), by text ([b](b.md)) and ([d](https://e.org/a/blob/v1.2.3/cli/d.ts#e), more).',
  );
});

test('what is only in the repository is not in a package', () => {
  const page = 'a\n\n<!-- Only in the repository. -->\nb\n<!-- Also in the package. -->\n\nc\n';
  expect(withoutRepositoryParts(page)).toBe('a\n\nc\n');
  expect(withoutRepositoryParts(page + page)).toBe('a\n\nc\na\n\nc\n');
});

test('anchors are those of GitHub', () => {
  expect(anchorOf('`auto`')).toBe('auto');
  expect(anchorOf('loadModel (Node)')).toBe('loadmodel-node');
  expect(anchorOf('Vite 5, 6 and 7: “naïve” — a_b')).toBe('vite-5-6-and-7-naïve--a_b');
});
