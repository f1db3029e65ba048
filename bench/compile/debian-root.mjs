// A small Debian 13 in a folder: its Mesa has the NVIDIA compiler (NAK), which Debian 12's lacks.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debianArchive, readSources } from '../../tools/apt-sources.mjs';
import { ROOT } from '../../tools/bundle.mjs';
import { parseOsRelease } from '../../tools/install-plan.mjs';

const PACKAGES = ['mesa-vulkan-drivers', 'mesa-drm-shim', 'libvulkan1', 'libstdc++6'];
/** Written when the root is complete; names what is in it. */
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
 * Makes the root unless it is there, and puts this Node and npm `webgpu` into it.
 * @returns {string} its folder
 */
export const debianRoot = () => {
  if (process.platform !== 'linux') fail('it needs Linux.');
  if (process.getuid?.() !== 0) fail('debootstrap and chroot need root. Run `npm run bench:compile` as root.');
  const root = join(tmpdir(), 'modernbert-webgpu-debian13');
  const mark = join(root, MARK);
  if (!existsSync(mark) || readFileSync(mark, 'utf8') !== PACKAGES.join(' ')) {
    if (spawnSync('debootstrap', ['--version']).error) {
      const apt = spawnSync('apt-get', ['install', '-y', '--no-install-recommends', 'debootstrap'], {
        encoding: 'utf8',
      });
      if (apt.status !== 0)
        fail(`there is no debootstrap, and apt-get cannot install it: ${apt.error ?? apt.stderr.trim()}`);
    }
    rmSync(root, { recursive: true, force: true });
    const args = ['--variant=minbase', `--include=${PACKAGES.join(',')}`, 'trixie', root, mirror()];
    console.error('Making a Debian 13 with debootstrap, once …');
    const { status, stdout, error } = spawnSync('debootstrap', args, { encoding: 'utf8' });
    if (status !== 0)
      fail(`debootstrap ended with ${error ?? `status ${status}:\n${stdout.trim().split('\n').slice(-4).join('\n')}`}`);
    writeFileSync(mark, PACKAGES.join(' '));
  }
  mkdirSync(join(root, 'bench/node_modules'), { recursive: true });
  copyFileSync(realpathSync(process.execPath), join(root, 'bench/node'));
  cpSync(join(ROOT, 'node_modules/webgpu'), join(root, 'bench/node_modules/webgpu'), { recursive: true });
  writeFileSync(join(root, 'bench/package.json'), '{ "type": "module" }');
  return root;
};
