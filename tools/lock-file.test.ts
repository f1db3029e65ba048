/** What `npm ci` may bring: only packages of the registry, each with its hash, and no code that runs at install but for the named. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './bundle.mjs';

interface Entry {
  version?: string;
  resolved?: string;
  integrity?: string;
  link?: boolean;
  hasInstallScript?: boolean;
}

const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');
const lockOf = (name: string): { lockfileVersion: number; packages: Record<string, Entry> } => JSON.parse(read(name));
const lock = lockOf('package-lock.json');
/** The two packages of this repository, and links to them. */
const OWN: Record<string, Entry> = {
  'node_modules/modernbert-webgpu': { resolved: '', link: true },
  'node_modules/modernbert-webgpu-cli': { resolved: 'cli', link: true },
};
/** .npmrc has ignore-scripts, so none of these runs. They fetch binaries, check a version, or on Macs lift a quarantine (webgpu). */
const INSTALL_SCRIPTS = ['deno', 'onnxruntime-node', 'protobufjs', 'webgpu'];

const others = Object.entries(lock.packages).filter(([path]) => path !== '' && path !== 'cli' && !(path in OWN));
/** Projects of their own: the bundlers that `npm run test:apps` tries the library with, and the documentation's site. */
const PROJECTS = ['e2e/bundlers', 'site'];
const tools = PROJECTS.flatMap((name) =>
  Object.entries(lockOf(`${name}/package-lock.json`).packages).filter(([path]) => path !== ''),
);

test('the entries are those of the lock file', () => {
  expect(lock.lockfileVersion).toBe(3);
  expect(others.length).toBeGreaterThan(300);
  for (const [path, entry] of Object.entries(OWN)) expect(lock.packages[path]).toEqual(entry);
});

test('every package has a sha512, a version of the registry, and no address', () => {
  const wrong = [...others, ...tools].filter(
    ([path, { version, resolved, integrity, link }]) =>
      !/(^|\/)node_modules\/(@[\w.-]+\/)?[\w.-]+$/.test(path) ||
      !/^\d+\.\d+\.\d+(-[\w.-]+)?$/.test(version ?? '') || // not git+ssh:, http: or file:
      !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? '') ||
      resolved !== undefined || // .npmrc: omit-lockfile-registry-resolved; it would name the registry of a machine
      link,
  );
  expect(wrong).toEqual([]);
});

test('the dependencies that are asked for are ranges of the registry', () => {
  for (const file of ['package.json', 'cli/package.json', 'site/package.json']) {
    const { dependencies, devDependencies, peerDependencies, optionalDependencies, overrides } = JSON.parse(read(file));
    expect(overrides, file).toBeUndefined();
    const ranges = { ...dependencies, ...devDependencies, ...peerDependencies, ...optionalDependencies };
    for (const [name, range] of Object.entries(ranges)) expect(range, name).toMatch(/^(\*|[~^]?\d[\w.-]*)$/);
  }
});

test('no package may run code at install', () => {
  const found = others.filter(([, entry]) => entry.hasInstallScript).map(([path]) => path.replace('node_modules/', ''));
  expect(found.sort()).toEqual(INSTALL_SCRIPTS);
  for (const file of ['.npmrc', ...PROJECTS.map((name) => `${name}/.npmrc`)]) {
    expect(read(file).split('\n')).toEqual(
      expect.arrayContaining(['ignore-scripts=true', 'omit-lockfile-registry-resolved=true']),
    );
  }
  for (const file of ['package.json', 'cli/package.json', ...PROJECTS.map((name) => `${name}/package.json`)]) {
    const names = Object.keys(JSON.parse(read(file)).scripts ?? {});
    expect(names.filter((name) => /^(pre|post)?(install|prepare)$|^prepublish/.test(name))).toEqual([]);
  }
});
