// Decides what `npm run setup` installs, as pure functions; setup.mjs inspects the machine and runs the steps.
import { backportsSource } from './apt-sources.mjs';

/**
 * @typedef {{ chromium: boolean, firefox: boolean, vulkan: boolean }} Needs
 *   what is missing: a Chromium (with its SwiftShader), a Firefox, Mesa's lavapipe
 * @typedef {{ write: string, text: string } | { run: string[], root: boolean }} Step
 * @typedef {{ steps: Step[], byHand?: string }} Plan
 *   `byHand`: why the user has to run the steps, if any, instead of setup
 */

/** The minimum that Dawn accepts, for messages only: setup asks Dawn itself. */
const MESA = 'Mesa 23 or later';

/** Works on every system that Playwright supports; only --with-deps needs root. */
const PLAYWRIGHT_CHROMIUM = ['npx', 'playwright', 'install', 'chromium'];

/** The package with lavapipe in distributions that setup only gives advice for. */
const LAVAPIPE_ELSEWHERE = [
  { ids: ['fedora', 'rhel', 'centos'], run: ['dnf', 'install', '-y', 'mesa-vulkan-drivers'] },
  { ids: ['arch'], run: ['pacman', '-S', '--needed', 'vulkan-swrast'] },
  { ids: ['suse', 'opensuse'], run: ['zypper', 'install', '-y', 'libvulkan_lvp'] },
  { ids: ['alpine'], run: ['apk', 'add', 'mesa-vulkan-swrast'] },
];

/**
 * @param {string} text of /etc/os-release
 * @returns {{ ids: string[], version: number, codename: string }} ids: ID, then ID_LIKE; version: NaN if missing
 */
export const parseOsRelease = (text) => {
  /** @param {string} name */
  const value = (name) => new RegExp(`^${name}=["']?([^"'\\n]*)`, 'm').exec(text)?.[1] ?? '';
  const ids = [value('ID'), ...value('ID_LIKE').split(/\s+/)].filter((id) => id !== '');
  return { ids, version: Number.parseFloat(value('VERSION_ID')), codename: value('VERSION_CODENAME') };
};

/** @param {string[]} packages @param {string[]} options @returns {Step} */
const aptInstall = (packages, options = []) => ({
  run: ['apt-get', 'install', '-y', '--no-install-recommends', ...options, ...packages],
  root: true,
});
/** lavapipe, and the shim that lets AMD's compiler run without its GPU (`npm run bench:static`). */
const MESA_DEBIAN = ['mesa-vulkan-drivers', 'mesa-drm-shim'];
/** @type {Step} */
const aptUpdate = { run: ['apt-get', 'update'], root: true };

/**
 * Debian. Dawn refuses the Mesa of version 12 (22), so that comes from its backports.
 * @param {{ version: number, codename: string, sources: import('./apt-sources.mjs').SourceFile[], needs: Needs }} machine
 * @returns {Plan}
 */
const planDebian = ({ version, codename, sources, needs }) => {
  if (version < 12)
    return { steps: [], byHand: `Debian ${version} is too old: Dawn needs ${MESA}. Use Debian 12 or later.` };
  const packages = [...(needs.chromium ? ['chromium'] : []), ...(needs.firefox ? ['firefox-esr'] : [])];
  const browsers = packages.length > 0 ? [aptInstall([...packages, 'fonts-liberation'])] : [];
  if (!needs.vulkan) return { steps: [aptUpdate, ...browsers] };
  if (version !== 12) return { steps: [aptUpdate, ...browsers, aptInstall(MESA_DEBIAN)] };
  const source = backportsSource(sources, codename);
  const mesa = aptInstall(MESA_DEBIAN, ['-t', `${codename}-backports`]);
  if (source === undefined) {
    const byHand = `Found no Debian mirror in /etc/apt. Add the suite ${codename}-backports to apt's sources, then run:`;
    return { steps: [aptUpdate, ...browsers, mesa], byHand };
  }
  /** @type {Step[]} */
  const add = source === 'present' ? [] : [{ write: source.path, text: source.text }];
  return { steps: [...add, aptUpdate, ...browsers, mesa] };
};

/**
 * Ubuntu and its derivatives. Their apt has browsers only as snaps, which containers cannot run: Chromium comes from Playwright, whose Firefox is a
 * changed one, so that the user has to install Mozilla's.
 * @param {Needs} needs
 * @returns {Plan}
 */
const planUbuntu = (needs) => {
  /** @type {Step[]} */
  const vulkan = needs.vulkan ? [aptUpdate, aptInstall(['mesa-vulkan-drivers'])] : [];
  /** @type {Step[]} */
  const chromium = needs.chromium ? [{ run: [...PLAYWRIGHT_CHROMIUM, '--with-deps'], root: false }] : [];
  return { steps: [...vulkan, ...chromium] };
};

/**
 * @param {{ platform: string, osRelease: string, sources: import('./apt-sources.mjs').SourceFile[], isRoot: boolean, needs: Needs }} machine
 * @returns {Plan}
 */
export const installPlan = ({ platform, osRelease, sources, isRoot, needs }) => {
  const { ids, version, codename } = parseOsRelease(osRelease);
  if (platform === 'linux' && (ids.includes('ubuntu') || ids[0] === 'debian')) {
    const plan = ids.includes('ubuntu') ? planUbuntu(needs) : planDebian({ version, codename, sources, needs });
    return isRoot || plan.byHand ? plan : { ...plan, byHand: 'Only root can install packages. Run:' };
  }
  /** @type {Step[]} */
  const steps = needs.chromium ? [{ run: PLAYWRIGHT_CHROMIUM, root: false }] : [];
  const distribution = LAVAPIPE_ELSEWHERE.find((entry) => entry.ids.some((id) => ids.includes(id)));
  if (needs.vulkan && distribution) steps.push({ run: distribution.run, root: true });
  const driver =
    platform === 'linux' ? `Install a Vulkan driver: a GPU's own, or lavapipe of ${MESA}.` : 'Dawn finds no GPU.';
  const hint = distribution || !needs.vulkan ? '' : ` ${driver}`;
  return { steps, byHand: `Setup cannot install on this system.${hint}${steps.length > 0 ? ' Run:' : ''}` };
};

/**
 * The steps as shell commands.
 * @param {Step[]} steps
 * @param {boolean} isRoot
 */
export const shellLines = (steps, isRoot) => {
  const sudo = isRoot ? '' : 'sudo ';
  return steps.flatMap((step) =>
    'write' in step
      ? [`${sudo}tee ${step.write} <<'END'`, ...step.text.trimEnd().split('\n'), 'END']
      : [(step.root ? sudo : '') + step.run.join(' ')],
  );
};
