// Finds a Chromium and a Firefox for the browser tests and the Vulkan drivers that Dawn (npm `webgpu`) uses in Node.
// Drivers are found by their ICD manifests; only Dawn itself can tell whether it accepts one (`probeAdapter`).
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, realpathSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';

/**
 * @typedef {'lavapipe' | 'swiftshader' | 'system'} AdapterName
 * @typedef {{ name: AdapterName, env: Record<string, string> }} NodeAdapter `env` must be set before a process first uses Vulkan.
 * @typedef {{ description: string } | { error: string }} Probe
 */

const LINUX_NAMES = [
  'chromium',
  'chromium-browser',
  'google-chrome-stable',
  'google-chrome',
  'chrome',
  'microsoft-edge-stable',
  'microsoft-edge',
];
const MAC_APPS = ['Google Chrome', 'Chromium', 'Microsoft Edge'];
const WINDOWS_PATHS = ['Google\\Chrome\\Application\\chrome.exe', 'Chromium\\Application\\chrome.exe'];
const WINDOWS_EDGE = 'Microsoft\\Edge\\Application\\msedge.exe';

/**
 * Paths where a Chromium may be, best first: CHROME_PATH, installed browsers, Playwright's download.
 * @returns {string[]}
 */
const chromiumPlaces = () => {
  const { env, platform } = process;
  const named = env.CHROME_PATH ? [env.CHROME_PATH] : [];
  const downloaded = [chromium.executablePath()];
  if (platform === 'darwin') {
    const folders = ['/Applications', join(homedir(), 'Applications')];
    const apps = MAC_APPS.flatMap((app) => folders.map((folder) => `${folder}/${app}.app/Contents/MacOS/${app}`));
    return [...named, ...apps, ...downloaded];
  }
  if (platform === 'win32') {
    const roots = [env.PROGRAMFILES, env['PROGRAMFILES(X86)'], env.LOCALAPPDATA].filter((root) => root !== undefined);
    const files = [...WINDOWS_PATHS, WINDOWS_EDGE].flatMap((file) => roots.map((root) => join(root, file)));
    return [...named, ...files, ...downloaded];
  }
  const folders = (env.PATH ?? '/usr/bin').split(delimiter);
  return [...named, ...LINUX_NAMES.flatMap((name) => folders.map((folder) => join(folder, name))), ...downloaded];
};

/**
 * Ubuntu's `chromium-browser` may be a script that only says how to install a snap, so on Linux the file must report its version.
 * @param {string} path
 * @param {RegExp} name
 */
const isBrowser = (path, name) => {
  if (!existsSync(path)) return false;
  if (process.platform !== 'linux') return true;
  const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 30_000 });
  return status === 0 && name.test(stdout);
};

/**
 * A Chromium, Chrome or Edge on this machine; CHROME_PATH overrules the search.
 * @returns {string | undefined} the executable
 */
export const findChromium = () => chromiumPlaces().find((path) => isBrowser(path, /Chrom|Edge/));

/**
 * A Firefox on this machine; FIREFOX_PATH overrules the search. Its long-term release comes first: Debian has no other.
 * @returns {string | undefined} the executable
 */
export const findFirefox = () => {
  const { env, platform } = process;
  const named = env.FIREFOX_PATH ? [env.FIREFOX_PATH] : [];
  const folders = (env.PATH ?? '/usr/bin').split(delimiter);
  /** @type {Partial<Record<NodeJS.Platform, string[]>>} */
  const installed = {
    darwin: ['/Applications/Firefox.app/Contents/MacOS/firefox'],
    win32: [join(env.PROGRAMFILES ?? 'C:\\Program Files', 'Mozilla Firefox', 'firefox.exe')],
  };
  const inPath = ['firefox-esr', 'firefox'].flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...named, ...(installed[platform] ?? inPath)].find((path) => isBrowser(path, /Firefox/));
};

/** Vulkan drivers need a private folder for sockets. Login sessions have one, containers do not. */
const runtimeDir = () => {
  if (process.env.XDG_RUNTIME_DIR) return process.env.XDG_RUNTIME_DIR;
  const folder = join(tmpdir(), `xdg-runtime-${process.getuid?.() ?? 0}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
};

const ICD_FOLDERS = ['/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/etc/vulkan/icd.d'];
const MACHINE = process.arch === 'arm64' ? 'aarch64' : 'x86_64';

/**
 * Mesa's manifest is `lvp_icd.json` on Debian and `lvp_icd.x86_64.json` elsewhere, next to those of other architectures.
 * @param {string} stem such as lvp
 * @param {string[]} files names in one ICD folder
 * @returns {string | undefined}
 */
export const pickManifest = (stem, files, machine = MACHINE) =>
  [`${stem}_icd.${machine}.json`, `${stem}_icd.json`].find((name) => files.includes(name));

/**
 * @param {string} stem lvp (lavapipe), radeon, nouveau …
 * @param {string} root of the file system to search
 * @returns {string | undefined} the path inside `root`
 */
export const mesaManifest = (stem, root = '/') => {
  for (const folder of ICD_FOLDERS.filter((path) => existsSync(join(root, path)))) {
    const name = pickManifest(stem, readdirSync(join(root, folder)));
    if (name) return join(folder, name);
  }
  return undefined;
};

/** Chromium includes SwiftShader. The executable in PATH may be a script in another folder. */
const SWIFTSHADER_FOLDERS = [
  '/usr/lib/chromium',
  '/usr/lib64/chromium-browser',
  '/opt/google/chrome',
  '/opt/microsoft/msedge',
  '/snap/chromium/current/usr/lib/chromium-browser',
];

/** @returns {string | undefined} */
const swiftshaderManifest = () => {
  const near = chromiumPlaces()
    .filter((path) => existsSync(path))
    .map((path) => dirname(realpathSync(path)));
  return [...near, ...SWIFTSHADER_FOLDERS]
    .map((folder) => join(folder, 'vk_swiftshader_icd.json'))
    .find((path) => existsSync(path));
};

/**
 * The adapters that tests, benchmarks and scripts use in Node: on Linux the installed software drivers, which compute the same on
 * every machine. Without any (macOS, Windows, a Linux with only a GPU) it is `system`, whatever Dawn picks.
 * @returns {NodeAdapter[]}
 */
export const findNodeAdapters = () => {
  if (process.platform !== 'linux') return [{ name: 'system', env: {} }];
  const XDG_RUNTIME_DIR = runtimeDir();
  const lavapipe = mesaManifest('lvp');
  const swiftshader = swiftshaderManifest();
  /** @type {NodeAdapter[]} */
  const software = [];
  if (lavapipe) software.push({ name: 'lavapipe', env: { VK_ICD_FILENAMES: lavapipe, XDG_RUNTIME_DIR } });
  if (swiftshader) software.push({ name: 'swiftshader', env: { VK_ICD_FILENAMES: swiftshader, XDG_RUNTIME_DIR } });
  return software.length > 0 ? software : [{ name: 'system', env: { XDG_RUNTIME_DIR } }];
};

/**
 * The adapter with this name. Throws an Error if it is not installed.
 * @param {string} name lavapipe, swiftshader or system
 * @returns {NodeAdapter}
 */
export const nodeAdapter = (name) => {
  if (name === 'system') return { name, env: process.platform === 'linux' ? { XDG_RUNTIME_DIR: runtimeDir() } : {} };
  const adapters = findNodeAdapters();
  const found = adapters.find((adapter) => adapter.name === name);
  if (found) return found;
  throw new Error(
    `Adapter '${name}' is not available; found: ${adapters.map((adapter) => adapter.name).join(', ')}. Run \`npm run setup\`.`,
  );
};

/**
 * Asks Dawn for an adapter and a device in a new process, because a process keeps the Vulkan drivers it saw first.
 * @param {NodeAdapter} adapter
 * @returns {Probe}
 */
export const probeAdapter = ({ env }) => {
  const script = fileURLToPath(new URL('./probe-adapter.mjs', import.meta.url));
  try {
    const output = execFileSync(process.execPath, [script], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 120_000,
    });
    return JSON.parse(output.trim().split('\n').at(-1) ?? '');
  } catch (error) {
    const text = error instanceof Error && 'stderr' in error && error.stderr ? String(error.stderr) : String(error);
    return { error: text.trim().split('\n').slice(-3).join('\n') };
  }
};
