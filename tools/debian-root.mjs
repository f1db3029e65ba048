// Makes a small Debian 13 in a folder, for programs that the machine's release lacks.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debianArchive, readSources } from './apt-sources.mjs';
import { parseOsRelease } from './install-plan.mjs';

/** Written when a root is complete; names its packages. */
const MARK = '.packages';

/** @param {string} message @returns {never} */
const fail = (message) => {
  throw new Error(`Cannot make the Debian 13 root: ${message}`);
};

const mirror = () => {
  if (process.env.DEBIAN_MIRROR) return process.env.DEBIAN_MIRROR;
  const { codename } = parseOsRelease(existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '');
  const uri = debianArchive(readSources(), codename)?.uris[0];
  return (
    uri ??
    fail(`the apt sources in /etc/apt name no Debian mirror for '${codename}'. Set DEBIAN_MIRROR to the URL of one.`)
  );
};

/**
 * The folder of a Debian 13 with these packages, made on first use by debootstrap, as root.
 * @param {string} name of the folder, within the folder for temporary files
 * @param {string[]} packages
 * @returns {string}
 */
export const debianRoot = (name, packages) => {
  if (process.platform !== 'linux') fail('only Linux is supported.');
  if (process.getuid?.() !== 0) fail('debootstrap and chroot need root.');
  const root = join(tmpdir(), name);
  const mark = join(root, MARK);
  if (existsSync(mark) && readFileSync(mark, 'utf8') === packages.join(' ')) return root;
  if (spawnSync('debootstrap', ['--version']).error) {
    const apt = spawnSync('apt-get', ['install', '-y', '--no-install-recommends', 'debootstrap'], { encoding: 'utf8' });
    if (apt.status !== 0)
      fail(`debootstrap is missing, and apt-get cannot install it: ${apt.error ?? apt.stderr.trim()}`);
  }
  rmSync(root, { recursive: true, force: true });
  const args = ['--variant=minbase', `--include=${packages.join(',')}`, 'trixie', root, mirror()];
  console.error('Making a Debian 13 root with debootstrap (first use only) …');
  const { status, stdout, error } = spawnSync('debootstrap', args, { encoding: 'utf8' });
  if (status !== 0)
    fail(`debootstrap failed with ${error ?? `status ${status}:\n${stdout.trim().split('\n').slice(-4).join('\n')}`}`);
  writeFileSync(mark, packages.join(' '));
  return root;
};
