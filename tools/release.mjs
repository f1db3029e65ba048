// `node tools/release.mjs vX.Y.Z`: whether the files are ready for the tag. Runs before anything is installed (.github/workflows/publish.yml).
import { readdirSync, readFileSync } from 'node:fs';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

/**
 * The part of a package.json that is read.
 * @typedef {{ version: string, dependencies?: Record<string, string>, repository?: { type?: string, url?: string, directory?: string } }} Package
 */

/**
 * What has to be changed before the tag may be published.
 * @param {string} tag
 * @param {{ library: Package, cli: Package, examples: Record<string, Package>, changelog: string }} files `examples` by their package.json's path
 * @returns {string[]}
 */
export const releaseProblems = (tag, { library, cli, examples, changelog }) => {
  const { version } = library;
  const heading = new RegExp(`^## ${version.replaceAll('.', '\\.')} \\(\\d{4}-\\d\\d-\\d\\d\\)$`, 'm');
  const url = library.repository?.url;
  /** @type {[boolean, string][]} */
  const ranges = Object.entries({ 'cli/package.json': cli, ...examples }).map(([path, { dependencies }]) => {
    const range = dependencies?.['modernbert-webgpu'];
    return [range === `^${version}`, `${path} depends on modernbert-webgpu ${range}, not ^${version}`];
  });
  /** @type {[boolean, string][]} */
  const demands = [
    [tag === `v${version}`, `the tag is ${tag}, and package.json has version ${version}`],
    [cli.version === version, `cli/package.json has version ${cli.version}, and package.json ${version}`],
    ...ranges,
    [heading.test(changelog), `CHANGELOG.md has no heading "## ${version} (YYYY-MM-DD)"`],
    [
      /^git\+https:\/\/.+\.git$/.test(url ?? ''),
      'package.json names no repository (git+https://….git), which a provenance needs',
    ],
    [
      cli.repository?.url === url && (!url || cli.repository?.directory === 'cli'),
      'cli/package.json does not name the same repository, with the directory cli',
    ],
  ];
  return demands.flatMap(([met, problem]) => (met ? [] : [problem]));
};

/** The files as they are. */
export const releaseFiles = () => {
  const read = (/** @type {string} */ path) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
  const examples = readdirSync(new URL('../examples', import.meta.url), { recursive: true, encoding: 'utf8' })
    .map((path) => `examples/${path.replaceAll('\\', '/')}`)
    .filter((path) => /^[^.]*\/package\.json$/.test(path) && !path.includes('node_modules'));
  return {
    library: JSON.parse(read('package.json')),
    cli: JSON.parse(read('cli/package.json')),
    examples: Object.fromEntries(examples.map((path) => [path, JSON.parse(read(path))])),
    changelog: read('CHANGELOG.md'),
  };
};

if (argv[1] === fileURLToPath(import.meta.url)) {
  const problems = releaseProblems(argv[2] ?? '', releaseFiles());
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
}
