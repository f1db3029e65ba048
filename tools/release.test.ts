import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { releaseFiles, releaseProblems } from './release.mjs';

const repository = { type: 'git', url: 'git+https://host/a/b.git' };
const ready = {
  library: { version: '1.2.3', repository },
  cli: {
    version: '1.2.3',
    dependencies: { 'modernbert-webgpu': '^1.2.3' },
    repository: { ...repository, directory: 'cli' },
  },
  examples: { 'examples/a/package.json': { version: '', dependencies: { 'modernbert-webgpu': '^1.2.3' } } },
  changelog: '# Changelog\n\n## 1.2.3 (2026-01-31)\n\n## 1.2.2 (2025-12-31)\n',
};

test('a release is ready if tag, versions, changelog and repository agree', () => {
  expect(releaseProblems('v1.2.3', ready)).toEqual([]);
});

test.each([
  ['v1.2.4', {}, 'the tag is v1.2.4, and package.json has version 1.2.3'],
  ['v1.2.3', { cli: { ...ready.cli, version: '1.2.2' } }, 'cli/package.json has version 1.2.2, and package.json 1.2.3'],
  ['v1.2.3', { cli: { ...ready.cli, dependencies: {} } }, /depends on modernbert-webgpu undefined, not \^1\.2\.3/],
  ['v1.2.3', { examples: { 'examples/b/package.json': { version: '' } } }, /^examples\/b\/package\.json depends on/],
  ['v1.2.3', { changelog: '## 1.2.3 (unreleased)' }, /CHANGELOG\.md has no heading/],
  ['v1.2.3', { changelog: '## 1x2x3 (2026-01-31)' }, /CHANGELOG\.md has no heading/],
  ['v1.2.3', { library: { version: '1.2.3' }, cli: { ...ready.cli, repository: undefined } }, /names no repository/],
  ['v1.2.3', { cli: { ...ready.cli, repository } }, /does not name the same repository/],
])('%s with %j is refused', (tag, changed, problem) => {
  const problems = releaseProblems(tag, { ...ready, ...changed });
  expect(problems).toEqual([typeof problem === 'string' ? problem : expect.stringMatching(problem)]);
});

test('the two packages and what the examples depend on have one version', () => {
  const files = releaseFiles();
  expect(Object.keys(files.examples)).toContain('examples/frameworks/vue/package.json');
  const problems = releaseProblems(`v${files.library.version}`, files);
  expect(problems.filter((problem) => !/CHANGELOG|repository/.test(problem))).toEqual([]); // those are for the day of a release
});

const folder = new URL('../.github/workflows/', import.meta.url);
const workflows = readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder), 'utf8')] as const);

test.each(workflows)(
  '%s: actions are pinned to a commit, and nothing is allowed but what a job asks for',
  (_, text) => {
    const uses = [...text.matchAll(/^ *(?:- )?uses: *(.*)$/gm)].map(([, action]) => action);
    expect(uses.length).toBeGreaterThan(0);
    for (const action of uses) expect(action).toMatch(/^[\w-]+\/[\w-]+@[\da-f]{40} # v\d+\.\d+\.\d+$/);
    expect(text).toMatch(/^permissions: \{\}$/m);
    // What others can choose, such as the name of a tag, is no part of a script.
    expect(text).not.toContain('${{');
  },
);

test('the job that may publish runs nothing of the repository and comes after everything that a change has to pass', () => {
  const text = workflows.find(([name]) => name === 'publish.yml')?.[1] ?? '';
  const [, check, publish, ...more] = text.split(/^ {2}(?=\w+:$)/m).filter((part) => !/^push:/.test(part));
  expect(more).toEqual([]);
  expect(check).toContain('- run: .ci/run\n');
  expect(check.match(/permissions:\n( {6}.*\n)+/)?.[0]).toBe('permissions:\n      contents: read\n');
  expect(publish).toContain('needs: check\n');
  expect(publish.match(/permissions:\n( {6}.*\n)+/)?.[0]).toBe('permissions:\n      id-token: write\n');
  expect(publish).not.toContain('checkout');
  const runs = [...publish.matchAll(/run: (.*)/g)].map(([, command]) => command);
  expect(runs.length).toBe(2);
  for (const run of runs) expect(run).toMatch(/^npm publish \S+\.tgz --ignore-scripts --provenance --access public$/);
});
