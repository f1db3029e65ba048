// `npm run pack -- FOLDER`: both packages as they are published, packed into FOLDER from what `npm run build` made. Tests pack the same way.
import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative, resolve } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { ROOT } from './bundle.mjs';
import { withLinksInside } from './links.mjs';

/** The packages by their folders in the project, with what each holds besides dist and package.json. */
const CONTENTS = { '.': ['README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md', 'docs'], cli: ['README.md'] };
/** Fields of package.json that are about developing it. */
const OWN_FIELDS = ['scripts', 'workspaces', 'devDependencies'];

/**
 * Writes all of a package but dist into `to`. Links of its documentation to files that it does not hold are changed (links.mjs).
 * @param {keyof typeof CONTENTS} name
 * @param {string} to
 */
export const stage = async (name, to) => {
  const from = join(ROOT, name);
  await mkdir(to, { recursive: true });
  const json = JSON.parse(await readFile(join(from, 'package.json'), 'utf8'));
  for (const field of OWN_FIELDS) delete json[field];
  await writeFile(join(to, 'package.json'), `${JSON.stringify(json, null, 2)}\n`);
  for (const entry of CONTENTS[name]) await cp(join(from, entry), join(to, entry), { recursive: true });
  const files = (await readdir(to, { recursive: true })).map((file) => file.replaceAll('\\', '/'));
  const holds = (/** @type {string} */ path) => files.includes(path);
  for (const file of files.filter((path) => path.endsWith('.md') && !path.startsWith('dist/'))) {
    const text = await readFile(join(to, file), 'utf8');
    await writeFile(join(to, file), withLinksInside(text, { file, holds, folder: name, json }));
  }
};

/**
 * @param {string} folder a package
 * @param {string} to where its tarball goes
 * @returns {{ filename: string, files: { path: string }[], size: number }} what is in it
 */
export const pack = (folder, to) =>
  JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', to], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  )[0];

if (argv[1] === fileURLToPath(import.meta.url)) {
  const to = resolve(argv[2] ?? 'build/packed');
  await mkdir(to, { recursive: true });
  for (const name of /** @type {const} */ (['.', 'cli'])) {
    const folder = await mkdtemp(join(tmpdir(), 'package-'));
    const sites = ['demo', 'site'].map((site) => join(ROOT, name, 'dist', site));
    await cp(join(ROOT, name, 'dist'), join(folder, 'dist'), {
      recursive: true,
      filter: (path) => !sites.includes(path),
    });
    await stage(name, folder);
    const { filename, size } = pack(folder, to);
    console.log(`${relative(ROOT, join(to, basename(filename)))}: ${size} bytes`);
    await rm(folder, { recursive: true });
  }
}
