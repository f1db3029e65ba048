// The licences of the npm packages whose code is in a bundle, as a file to publish beside it.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ROOT } from './bundle.mjs';

export const LICENCES_FILE = 'THIRD-PARTY-LICENSES.txt';

/** SPDX names of licences that code of this project's bundles may have. */
const ALLOWED = /^(Apache-2\.0|MIT|MIT-0|BSD-[23]-Clause|ISC|0BSD|Unlicense|Zlib|BlueOak-1\.0\.0)$/;
/** Texts of packages that come without. */
const ELSEWHERE = new Map(
  ['onnxruntime-web', 'onnxruntime-common'].map((name) => [name, join(ROOT, 'tools/onnxruntime-license.txt')]),
);
/** The innermost package that a module is in; bundlers mark modules that they made from a file with \0. */
const PACKAGE = /^\0?(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/@]+)[\\/]/;
const TEXT_FILE = /^(licen[cs]e|copying|notice)\b/i;

/**
 * @typedef {{ name: string, version: string, licence: string, texts: string[] }} Licensed
 * @param {Iterable<string>} moduleIds of a bundler
 * @returns {Licensed[]} one for each package, by name. Throws an Error for one without a text, or with a licence that is not allowed.
 */
export const licencesOf = (moduleIds) => {
  /** @type {Map<string, Set<string>>} folders of each package's modules */
  const packages = new Map();
  for (const id of moduleIds) {
    const folder = PACKAGE.exec(id)?.[1];
    if (!folder) continue;
    const folders = packages.get(folder) ?? new Set([folder]);
    packages.set(folder, folders);
    // A folder of a package may have a licence of its own.
    for (let at = dirname(id.replace(/^\0|\?.*$/g, '')); at.length > folder.length; at = dirname(at)) folders.add(at);
  }
  return [...packages]
    .map(([folder, folders]) => licenceOf(folder, folders))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
};

/**
 * @param {string} folder
 * @param {Set<string>} folders
 * @returns {Licensed}
 */
const licenceOf = (folder, folders) => {
  const {
    name = basename(folder),
    version = '',
    license,
  } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const bundled = `${name} ${version} is in the bundle`;
  if (!isAllowed(license))
    throw new Error(`${bundled}, and its licence is ${JSON.stringify(license)}. Allowed: ${ALLOWED}.`);
  const files = [...folders].flatMap((at) =>
    readdirSync(at, { withFileTypes: true })
      .filter((file) => file.isFile() && TEXT_FILE.test(file.name) && !/\.[cm]?[jt]s$/.test(file.name))
      .map((file) => join(at, file.name)),
  );
  const elsewhere = ELSEWHERE.get(name);
  if (files.length === 0 && elsewhere) files.push(elsewhere);
  const texts = files.map((file) => readFileSync(file, 'utf8').replace(/\r\n?/g, '\n').trim()).filter(Boolean);
  if (texts.length === 0)
    throw new Error(`${bundled}, and has no file with its licence (${license}). Add one to tools/licences.mjs.`);
  return { name, version, licence: license, texts };
};

/**
 * Of "A OR B" one has to be allowed, of "A AND B" both.
 * @param {unknown} licence
 */
const isAllowed = (licence) =>
  typeof licence === 'string' &&
  licence
    .replace(/^\((.*)\)$/, '$1')
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((part) => ALLOWED.test(part)));

/**
 * The file's text; equal licence texts are in it once.
 * @param {Iterable<string>} moduleIds
 */
export const licencesText = (moduleIds) => {
  /** @type {Map<string, string[]>} */
  const texts = new Map();
  for (const { name, version, licence, texts: own } of licencesOf(moduleIds)) {
    for (const text of own) texts.set(text, [...(texts.get(text) ?? []), `${name} ${version} (${licence})`]);
  }
  const parts = [...texts].map(([text, names]) => `${names.join('\n')}\n\n${text}\n`);
  const intro = parts.length
    ? 'The files beside this one contain code of these packages.'
    : 'The files beside this one contain no code of other packages.';
  return [`${intro}\n`, ...parts].join(`\n${'-'.repeat(80)}\n\n`);
};

/**
 * Plugins for Vite's build: `collect` is for its workers, which are builds of their own; `write` for the page, which is built last.
 */
export const pageLicences = () => {
  /** @type {Set<string>} */
  const moduleIds = new Set();
  /** @param {import('rolldown').OutputBundle} bundle */
  const add = (bundle) => {
    for (const file of Object.values(bundle)) {
      if (file.type === 'chunk') for (const id of file.moduleIds) moduleIds.add(id);
    }
  };
  /** @type {import('vite').Plugin} */
  const collect = { name: 'collect-licences', apply: 'build', generateBundle: (_, bundle) => add(bundle) };
  /** @type {import('vite').Plugin} */
  const write = {
    name: 'write-licences',
    apply: 'build',
    generateBundle(_, bundle) {
      add(bundle);
      this.emitFile({ type: 'asset', fileName: LICENCES_FILE, source: licencesText(moduleIds) });
    },
  };
  return { collect, write };
};
