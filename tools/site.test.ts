/** The list of docs/README.md is the site's navigation; e2e/site.apps.test.ts tests the built site. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './bundle.mjs';
import { deadAnchors, sidebarOf } from './site.mjs';

const docs = join(ROOT, 'docs');

test('the sidebar has every page of docs once', () => {
  const sidebar = sidebarOf(readFileSync(join(docs, 'README.md'), 'utf8'));
  expect(sidebar.length).toBeGreaterThan(4);
  const pages = readdirSync(docs, { recursive: true, encoding: 'utf8' }).map((file) => file.replaceAll('\\', '/'));
  const listed = sidebar.flatMap(({ items }) => items.map(({ link }) => link));
  expect(listed.sort(), 'docs/README.md lists every page').toEqual(
    pages.filter((file) => file.endsWith('.md') && file !== 'README.md').sort(),
  );
  const labels = sidebar.flatMap(({ text, items }) => [text, ...items.map((item) => item.text)]);
  expect(labels.filter((label) => label.length > 40)).toEqual([]);
});

test('a link to an anchor that its page lacks is found, at any base', () => {
  const folder = mkdtempSync(join(tmpdir(), 'site-'));
  mkdirSync(join(folder, 'guide'));
  const links = (...targets: string[]) => targets.map((target) => `<a class="x" href="${target}">x</a>`).join('');
  writeFileSync(join(folder, 'index.html'), `<h2 id="one">One</h2>${links('#one', '#two', 'https://x.org/#y')}`);
  const targets = ['../index.html#one', '/at/#one', '/at/guide/a.html#z%C3%A9', '../#three', './b.html#one'];
  writeFileSync(join(folder, 'guide/a.html'), `<h2 id="zé">Z</h2>${links(...targets)}`);
  expect(deadAnchors(folder, '/at/').sort()).toEqual([
    'guide/a.html: guide/b.html has no #one',
    'guide/a.html: index.html has no #three',
    'index.html: index.html has no #two',
  ]);
});
