import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as known from '../demo/models/known-models';
import { ROOT } from './bundle.mjs';
import { modelsPage } from './model-docs.mjs';

const page = modelsPage(known);

it('docs/models.md is what `npm run docs` writes', () => {
  const committed = readFileSync(join(ROOT, 'docs/models.md'), 'utf8');
  expect(committed, 'docs/models.md is out of date: run `npm run docs`').toBe(page);
});

it('lists every known model once', () => {
  for (const { id } of known.KNOWN_MODELS) expect(page.split(`[${id}](`), id).toHaveLength(2);
});
