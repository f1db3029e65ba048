// Reads the machine's apt sources, and adds Debian's backports from the mirror that it already uses.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @typedef {{ path: string, text: string }} SourceFile */
/**
 * One enabled entry for binary packages. `withSuite` returns the entry, with its options, for another suite.
 * @typedef {{ uris: string[], suites: string[], components: string[], withSuite: (suite: string) => string }} AptSource
 */

/** @param {string} text */
const words = (text) => text.split(/\s+/).filter((word) => word !== '');

/**
 * `deb [options] uri suite components`, the format of .list files (sources.list(5)).
 * @param {string} text
 * @returns {AptSource[]}
 */
const parseOneLine = (text) =>
  text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(\[[^\]]*\]\s+)?(\w[^\s:]*:\S+)\s+(\S+)\s+([^#]+)/.exec(line);
    if (!match) return [];
    const [, options = '', uri, suite, components] = match;
    return [
      {
        uris: [uri],
        suites: [suite],
        components: words(components),
        withSuite: (other) => `deb ${options}${uri} ${other} main\n`,
      },
    ];
  });

/** Fields that `withSuite` sets or drops; it keeps all others (Signed-By …). */
const OWN_FIELDS = ['types', 'suites', 'components', 'enabled'];

/**
 * Stanzas of `Field: value`, the format of .sources files (deb822(5)). A line that starts with a blank continues its field.
 * @param {string} text
 * @returns {AptSource[]}
 */
const parseDeb822 = (text) => {
  const lines = text.split('\n').filter((line) => !line.startsWith('#'));
  const stanzas = lines.join('\n').split(/\n\s*\n/);
  return stanzas.flatMap((stanza) => {
    const fields = stanza.split(/\n(?=\S)/).filter((field) => field.includes(':'));
    /** @param {string} name */
    const value = (name) => {
      const field = fields.find((text) => text.trimStart().toLowerCase().startsWith(`${name}:`));
      return words(field?.slice(field.indexOf(':') + 1) ?? '');
    };
    if (!value('types').includes('deb') || /^(no|false|off|0|without|disable)$/.test(value('enabled').join('')))
      return [];
    const kept = fields
      .map((field) => field.trim())
      .filter((field) => !OWN_FIELDS.includes(field.slice(0, field.indexOf(':')).toLowerCase()));
    return [
      {
        uris: value('uris'),
        suites: value('suites'),
        components: value('components'),
        withSuite: (suite) => `${['Types: deb', `Suites: ${suite}`, 'Components: main', ...kept].join('\n')}\n`,
      },
    ];
  });
};

/** @returns {SourceFile[]} of /etc/apt: sources.list and sources.list.d */
export const readSources = () => {
  const folder = '/etc/apt/sources.list.d';
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => /\.(list|sources)$/.test(name)) : [];
  return ['/etc/apt/sources.list', ...names.map((name) => join(folder, name))]
    .filter((path) => existsSync(path))
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }));
};

/** @param {SourceFile[]} files @returns entries with the component main */
const mainEntries = (files) =>
  files
    .flatMap(({ path, text }) => {
      const deb822 = path.endsWith('.sources');
      return (deb822 ? parseDeb822 : parseOneLine)(text).map((entry) => ({ ...entry, deb822 }));
    })
    .filter(({ components }) => components.includes('main'));

/**
 * The entry of Debian's archive for a release, if any.
 * @param {SourceFile[]} files
 * @param {string} codename such as bookworm
 */
export const debianArchive = (files, codename) => {
  const main = mainEntries(files);
  const updated = new Set(
    main.filter(({ suites }) => suites.includes(`${codename}-updates`)).flatMap(({ uris }) => uris),
  );
  /**
   * Other vendors' archives may use the same suite and component names. Debian's has updates too and usually ends in /debian.
   * @param {AptSource} entry
   */
  const likeness = ({ uris }) =>
    (uris.some((uri) => updated.has(uri)) ? 2 : 0) + (uris.some((uri) => /\/debian\/?$/.test(uri)) ? 1 : 0);
  const mirror = main.filter(({ suites }) => suites.includes(codename)).sort((a, b) => likeness(b) - likeness(a))[0];
  return mirror && likeness(mirror) > 0 ? mirror : undefined;
};

/**
 * The source file that adds `${codename}-backports` to apt.
 * @param {SourceFile[]} files
 * @param {string} codename such as bookworm
 * @returns {SourceFile | 'present' | undefined} 'present': apt has it already; undefined: no Debian mirror found
 */
export const backportsSource = (files, codename) => {
  const backports = `${codename}-backports`;
  if (mainEntries(files).some(({ suites }) => suites.includes(backports))) return 'present';
  const mirror = debianArchive(files, codename);
  if (!mirror) return undefined;
  const path = `/etc/apt/sources.list.d/${backports}.${mirror.deb822 ? 'sources' : 'list'}`;
  return { path, text: mirror.withSuite(backports) };
};
