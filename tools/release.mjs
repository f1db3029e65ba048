// `node tools/release.mjs vX.Y.Z`: whether the files are ready for the tag. Runs before anything is installed (.github/workflows/publish.yml).
import { readFileSync } from 'node:fs';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

/**
 * The part of a package.json that is read.
 * @typedef {{ version: string, dependencies?: Record<string, string>, repository?: { type?: string, url?: string, directory?: string } }} Package
 */

/**
 * What has to be changed before the tag may be published.
 * @param {string} tag
 * @param {{ library: Package, cli: Package, changelog: string }} files
 * @returns {string[]}
 */
export const releaseProblems = (tag, { library, cli, changelog }) => {
  const { version } = library;
  const range = cli.dependencies?.['modernbert-webgpu'];
  const heading = new RegExp(`^## ${version.replaceAll('.', '\\.')} \\(\\d{4}-\\d\\d-\\d\\d\\)$`, 'm');
  const url = library.repository?.url;
  /** @type {[boolean, string][]} */
  const demands = [
    [tag === `v${version}`, `the tag is ${tag}, and package.json has version ${version}`],
    [cli.version === version, `cli/package.json has version ${cli.version}, and package.json ${version}`],
    [range === `^${version}`, `cli/package.json depends on modernbert-webgpu ${range}, not ^${version}`],
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
  return {
    library: JSON.parse(read('package.json')),
    cli: JSON.parse(read('cli/package.json')),
    changelog: read('CHANGELOG.md'),
  };
};

if (argv[1] === fileURLToPath(import.meta.url)) {
  const problems = releaseProblems(argv[2] ?? '', releaseFiles());
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
}
