import { expect, test } from 'vitest';
import { withLinksInside } from './pack.mjs';

const place = { file: 'docs/guide/a.md', files: ['docs/guide/b.md', 'docs/c.svg'], folder: 'cli' };
const text = '[b](b.md#x), ![c](../c.svg), [d](../../src/d.ts#e), [f](https://f.org/), [g](#h)';

test('links to files that are not in the package are text, or lead to the repository', () => {
  const json = { version: '1.2.3' };
  expect(withLinksInside(text, { ...place, json })).toBe(
    '[b](b.md#x), ![c](../c.svg), d, [f](https://f.org/), [g](#h)',
  );
  const repository = { url: 'git+https://example.org/a/b.git' };
  expect(withLinksInside(text, { ...place, json: { ...json, repository } })).toBe(
    '[b](b.md#x), ![c](../c.svg), [d](https://example.org/a/b/blob/v1.2.3/cli/src/d.ts#e), [f](https://f.org/), [g](#h)',
  );
});
