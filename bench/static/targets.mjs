// The cards that kernels are compiled for, by Mesa's own compilers over a DRM shim: the driver believes that the card is there.
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mesaManifest } from '../../tools/adapters.mjs';
import { compileRoot } from './debian-root.mjs';
import { nakFaults, parseNak } from './nak.mjs';
import { parseRadv, radvFaults } from './radv.mjs';

/**
 * @typedef {Record<string, number>} Numbers
 * @typedef {import('./job').Job} Job
 * @typedef {object} Target
 * @property {string} name of the card
 * @property {string} manifest stem of the driver's Vulkan manifest
 * @property {string} shim library that plays the kernel driver
 * @property {Record<string, string>} env
 * @property {string[]} toggles of Dawn
 * @property {() => string | undefined} root of the file system to run in; undefined for this machine's
 * @property {string[]} tiers that have to be there
 * @property {(text: string) => Numbers | string} parse
 * @property {(row: Numbers) => string[]} faults
 */

const SHIM_FOLDERS = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib'];
/** @param {string} name @param {string} root */
const shimIn = (name, root) =>
  SHIM_FOLDERS.map((path) => join(path, name)).find((path) => existsSync(join(root, path)));

const AMD_SHIM = 'libamdgpu_noop_drm_shim.so';

/** @type {Record<'navi31' | 'ga102', Target>} */
export const TARGETS = {
  navi31: {
    name: 'AMD Radeon RX 7900 XTX (NAVI31), compiled by ACO of Mesa RADV',
    manifest: 'radeon',
    shim: AMD_SHIM,
    env: { AMDGPU_GPU_ID: 'NAVI31', RADV_DEBUG: 'shaderstats,asm,nocache' },
    toggles: ['allow_unsafe_apis'], // chromium-experimental-subgroup-matrix
    // Debian's package mesa-drm-shim is of the drivers' own version, so this machine's Mesa serves where it is installed.
    root: () => (mesaManifest('radeon') && shimIn(AMD_SHIM, '/') ? undefined : compileRoot()),
    tiers: ['f32', 'f16-storage', 'shader-f16', 'f32-weights-shader-f16', 'subgroup-matrix', 'int8'],
    parse: parseRadv,
    faults: radvFaults,
  },
  ga102: {
    name: 'NVIDIA GeForce RTX 3090 (GA102), compiled by NAK of Mesa NVK',
    manifest: 'nouveau',
    shim: 'libnouveau_noop_drm_shim.so',
    env: { NOUVEAU_CHIPSET: '0x172', NAK_DEBUG: 'print', MESA_SHADER_CACHE_DISABLE: '1' },
    // NVK emulates bounds checks with branches, which NVIDIA's own driver leaves to the hardware.
    toggles: ['disable_robustness'],
    root: compileRoot,
    tiers: ['f32', 'f16-storage', 'int8'],
    parse: parseNak,
    faults: nakFaults,
  },
};

/**
 * Compiles in a process of its own.
 * @param {Target} target
 * @param {string} script bundled pipelines.ts
 * @param {Omit<Job, 'toggles'>} job
 * @returns {string} what Dawn and the compiler printed
 */
export const compileOn = (target, script, job) => {
  const root = target.root();
  const manifest = mesaManifest(target.manifest, root);
  const shim = shimIn(target.shim, root ?? '/');
  if (!manifest || !shim) {
    throw new Error(
      `${target.name}: ${root ?? 'this machine'} lacks ${manifest ? target.shim : `the driver ${target.manifest}`} (packages mesa-vulkan-drivers and mesa-drm-shim).`,
    );
  }
  const folder = mkdtempSync(join(root ?? tmpdir(), root ? 'tmp/bench-' : 'bench-static-'));
  const log = join(folder, 'stderr');
  const jobFile = join(folder, 'job.json');
  const file = openSync(log, 'w');
  try {
    writeFileSync(jobFile, JSON.stringify({ ...job, toggles: target.toggles }));
    const vulkan = { ...target.env, VK_ICD_FILENAMES: manifest, LD_PRELOAD: shim };
    /** @param {string} path */
    const inside = (path) => (root ? path.slice(root.length) : path);
    /** @type {import('node:child_process').SpawnSyncOptions} */
    const options = { stdio: ['ignore', 'inherit', file], timeout: 1_800_000 };
    if (root) copyFileSync(script, join(root, 'bench/pipelines.js'));
    const settings = Object.entries({ ...vulkan, XDG_RUNTIME_DIR: inside(folder) }).map(
      ([key, value]) => `${key}=${value}`,
    );
    const { status, signal, error } = root
      ? spawnSync(
          'chroot',
          [root, '/usr/bin/env', '-i', ...settings, '/bench/node', '/bench/pipelines.js', inside(jobFile)],
          options,
        )
      : spawnSync('env', [...settings, process.execPath, script, jobFile], options);
    const text = readFileSync(log, 'utf8');
    if (status !== 0) {
      throw new Error(
        `${target.name}: compiling ended with ${error ?? signal ?? `status ${status}`}:\n${text.trim().slice(-1000)}`,
      );
    }
    return text;
  } finally {
    closeSync(file);
    rmSync(folder, { recursive: true, force: true });
  }
};
