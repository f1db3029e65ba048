// The cards that kernels are compiled for, by Mesa's compilers on a DRM shim that makes the driver believe the card is present.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  copyFileSync,
  cpSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { mesaManifest } from '../../tools/adapters.mjs';
import { ROOT } from '../../tools/bundle.mjs';
import { debianRoot } from '../../tools/debian-root.mjs';
import { FINAL, nakFaults, parseNak } from './nak.mjs';
import { parseRadv, radvFaults } from './radv.mjs';

/**
 * @typedef {Record<string, number>} Numbers
 * @typedef {object} Target
 * @property {string} name of the card
 * @property {string} manifest stem of the driver's Vulkan manifest
 * @property {string} shim library that stands in for the kernel driver
 * @property {Record<string, string>} env
 * @property {Record<string, string>} print what makes the compiler print its results
 * @property {string[]} toggles Dawn toggles to enable
 * @property {() => string | undefined} root of the file system to run in; undefined: this machine's own
 * @property {string[]} tiers that must have rows
 * @property {(text: string) => Numbers | string} parse
 * @property {(row: Numbers) => string[]} faults
 */

const SHIM_FOLDERS = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib'];
/** @param {string} name @param {string} root */
const shimIn = (name, root) =>
  SHIM_FOLDERS.map((path) => join(path, name)).find((path) => existsSync(join(root, path)));

/**
 * A Debian 13, made on first use, with this Node and npm `webgpu`: its Mesa has the NVIDIA compiler (NAK), which Debian 12's lacks.
 * @returns {string} its folder
 */
const compileRoot = () => {
  const packages = ['mesa-vulkan-drivers', 'mesa-drm-shim', 'libvulkan1', 'libstdc++6'];
  const root = debianRoot('modernbert-webgpu-debian13', packages);
  mkdirSync(join(root, 'bench/node_modules'), { recursive: true });
  copyFileSync(realpathSync(process.execPath), join(root, 'bench/node'));
  cpSync(join(ROOT, 'node_modules/webgpu'), join(root, 'bench/node_modules/webgpu'), { recursive: true });
  writeFileSync(join(root, 'bench/package.json'), '{ "type": "module" }');
  return root;
};

const AMD_SHIM = 'libamdgpu_noop_drm_shim.so';

/** @type {Record<'navi31' | 'ga102', Target>} */
export const TARGETS = {
  navi31: {
    name: 'AMD Radeon RX 7900 XTX (NAVI31), compiled by ACO of Mesa RADV',
    manifest: 'radeon',
    shim: AMD_SHIM,
    env: { AMDGPU_GPU_ID: 'NAVI31', RADV_DEBUG: 'nocache' },
    print: { RADV_DEBUG: 'shaderstats,asm,nocache' },
    toggles: ['allow_unsafe_apis'], // chromium-experimental-subgroup-matrix
    // Debian's mesa-drm-shim has the same version as the drivers, so this machine's Mesa is used if the shim is installed.
    root: () => (mesaManifest('radeon') && shimIn(AMD_SHIM, '/') ? undefined : compileRoot()),
    tiers: ['f32', 'f16-storage', 'shader-f16', 'f32-weights-shader-f16', 'subgroup-matrix', 'int8'],
    parse: parseRadv,
    faults: radvFaults,
  },
  ga102: {
    name: 'NVIDIA GeForce RTX 3090 (GA102), compiled by NAK of Mesa NVK',
    manifest: 'nouveau',
    shim: 'libnouveau_noop_drm_shim.so',
    env: { NOUVEAU_CHIPSET: '0x172', MESA_SHADER_CACHE_DISABLE: '1' },
    print: { NAK_DEBUG: 'print' },
    // NVK emulates bounds checks with branches, which NVIDIA's own driver leaves to the hardware.
    toggles: ['disable_robustness'],
    root: compileRoot,
    tiers: ['f32', 'f16-storage', 'int8'],
    parse: parseNak,
    faults: nakFaults,
  },
};

/**
 * NAK prints its code after every step, more than fits into a string; all but the last is left out.
 * @param {string} file
 * @returns {Promise<{ text: string, end: string }>} `end`: the last lines, as they are
 */
const readLog = async (file) => {
  /** @type {string[]} */
  const kept = [];
  /** @type {string[]} */
  let end = [];
  let isKept = true;
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (line.startsWith('@@') || line.startsWith(FINAL)) isKept = true;
    else if (line.startsWith('NAK IR')) isKept = false;
    if (isKept) kept.push(line);
    end.push(line);
    if (end.length > 100) end = end.slice(-20);
  }
  return { text: kept.join('\n'), end: end.slice(-20).join('\n') };
};

/**
 * Runs a script of Node on the card's compiler, in a separate process.
 * @param {Target} target
 * @param {string} script one file, which may import npm `webgpu`
 * @param {unknown} input in a JSON file, whose path is the script's first argument
 * @param {{ args?: string[], quiet?: boolean }} [options] more arguments; quiet: the compiler prints nothing
 * @returns {Promise<{ output: string, log: string }>} standard output; what Dawn and the compiler printed
 */
export const runOn = async (target, script, input, { args = [], quiet = false } = {}) => {
  const root = target.root();
  const manifest = mesaManifest(target.manifest, root);
  const shim = shimIn(target.shim, root ?? '/');
  if (!manifest || !shim) {
    throw new Error(
      `${target.name}: ${root ?? 'this machine'} lacks ${manifest ? target.shim : `the driver ${target.manifest}`}; install the packages mesa-vulkan-drivers and mesa-drm-shim.`,
    );
  }
  const folder = mkdtempSync(join(root ?? tmpdir(), root ? 'tmp/bench-' : 'bench-static-'));
  const [inputFile, outputFile, logFile] = ['input.json', 'stdout', 'stderr'].map((name) => join(folder, name));
  const [output, log] = [openSync(outputFile, 'w'), openSync(logFile, 'w')];
  try {
    writeFileSync(inputFile, JSON.stringify(input));
    /** @param {string} path */
    const inside = (path) => (root ? path.slice(root.length) : path);
    const env = {
      ...target.env,
      ...(!quiet && target.print),
      VK_ICD_FILENAMES: manifest,
      LD_PRELOAD: shim,
      XDG_RUNTIME_DIR: inside(folder),
    };
    const settings = Object.entries(env).map(([key, value]) => `${key}=${value}`);
    if (root) copyFileSync(script, join(root, 'bench', basename(script)));
    const command = root
      ? ['chroot', root, '/usr/bin/env', '-i', ...settings, '/bench/node', `/bench/${basename(script)}`]
      : ['env', ...settings, process.execPath, script];
    const [program, ...rest] = [...command, inside(inputFile), ...args];
    const child = spawn(program, rest, { stdio: ['ignore', output, log], timeout: 1_800_000 });
    const [status, signal] = await once(child, 'close');
    const { text, end } = await readLog(logFile);
    if (status !== 0) {
      throw new Error(`${target.name}: the compiler process failed with ${signal ?? `status ${status}`}:\n${end}`);
    }
    return { output: readFileSync(outputFile, 'utf8'), log: text };
  } finally {
    closeSync(output);
    closeSync(log);
    rmSync(folder, { recursive: true, force: true });
  }
};
