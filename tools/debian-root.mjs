// Debian 13 in a folder.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debianArchive, readSources } from './apt-sources.mjs';
import { parseOsRelease } from './install-plan.mjs';

/** Written when a root is complete; names what is in it. */
const MARK = '.packages';

/** @param {string} message @returns {never} */
const fail = (message) => {
  throw new Error(`The Debian 13 root cannot be made: ${message}`);
};

const mirror = () => {
  if (process.env.DEBIAN_MIRROR) return process.env.DEBIAN_MIRROR;
  const { codename } = parseOsRelease(existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '');
  const uri = debianArchive(readSources(), codename)?.uris[0];
  return (
    uri ?? fail(`the apt sources in /etc/apt name no Debian mirror for '${codename}'. Set DEBIAN_MIRROR to one's URL.`)
  );
};

/**
 * A small Debian 13 in a folder, for programs that the machine's own release lacks. Made once, with debootstrap, as root.
 * @param {string} name of its folder in the folder for temporary files
 * @param {string[]} packages
 * @returns {string} its folder
 */
export const debianRoot = (name, packages) => {
  if (process.platform !== 'linux') fail('it needs Linux.');
  if (process.getuid?.() !== 0) fail('debootstrap and chroot need root.');
  const root = join(tmpdir(), name);
  const mark = join(root, MARK);
  if (existsSync(mark) && readFileSync(mark, 'utf8') === packages.join(' ')) return root;
  if (spawnSync('debootstrap', ['--version']).error) {
    const apt = spawnSync('apt-get', ['install', '-y', '--no-install-recommends', 'debootstrap'], { encoding: 'utf8' });
    if (apt.status !== 0)
      fail(`there is no debootstrap, and apt-get cannot install it: ${apt.error ?? apt.stderr.trim()}`);
  }
  rmSync(root, { recursive: true, force: true });
  const args = ['--variant=minbase', `--include=${packages.join(',')}`, 'trixie', root, mirror()];
  console.error('Making a Debian 13 with debootstrap, once …');
  const { status, stdout, error } = spawnSync('debootstrap', args, { encoding: 'utf8' });
  if (status !== 0)
    fail(`debootstrap ended with ${error ?? `status ${status}:\n${stdout.trim().split('\n').slice(-4).join('\n')}`}`);
  writeFileSync(mark, packages.join(' '));
  return root;
};
