import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './bundle.mjs';

const text = readFileSync(join(ROOT, 'SECURITY.md'), 'utf8');
const places = [...text.matchAll(/`([\w-]+\/[\w./-]+\.(?:ts|mjs))`/g)].map(([, path]) => path);

test('what SECURITY.md names as its tests exists', () => {
  expect(places.length).toBeGreaterThan(40);
  expect(places.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test('every part of SECURITY.md but the first two and the one on the GPU names two tests or more', () => {
  const parts = text.split(/^## /m).slice(3);
  expect(parts.length).toBeGreaterThan(7);
  for (const part of parts) {
    const [title] = part.split('\n');
    const named = new Set(places.filter((path) => part.includes(`\`${path}\``) && path.includes('.test.ts')));
    expect(named.size, title).toBeGreaterThanOrEqual(title === 'The GPU' ? 1 : 2);
  }
});

test('nothing becomes code or markup but the panels of the demo, which are its own files', () => {
  const sink =
    /\beval\(|new Function\b|\.(?:innerHTML|outerHTML|srcdoc)\b\s*[+=]|insertAdjacentHTML|document\.write|createContextualFragment|HTMLUnsafe|set(?:Timeout|Interval)\(['"`]/;
  const files = ['src', 'cli', 'demo'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
  );
  const sources = files.filter((path) => /\.ts$/.test(path) && !/\.test\.ts$|node_modules|dist/.test(path));
  expect(sources.length).toBeGreaterThan(200);
  const found = sources.flatMap((path) => {
    const code = readFileSync(join(ROOT, path), 'utf8');
    const isPanel = /^import html from '\.\/[\w-]+\.html\?raw';$/m.test(code);
    const lines = code.split('\n').filter((line) => sink.test(line));
    return lines
      .filter((line) => !(isPanel && /^\s*\w+\.innerHTML = html;$/.test(line)))
      .map((line) => `${path}: ${line}`);
  });
  expect(found).toEqual([]);
});
