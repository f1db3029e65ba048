// Runs GPU tests and compiles shaders in Deno, whose WebGPU is wgpu and whose shader compiler is Naga, as in Firefox.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from './bundle.mjs';
import { bundleTest, testName } from './test-bundle.mjs';

/** @typedef {import('./test-runner.mjs').Outcome} Outcome */

const FOLDER = join(ROOT, 'build/deno');

/** What the package's install script does, which npm does not run here. Throws an Error if there is no Deno for this machine. @returns {string} */
export const denoExecutable = () => createRequire(import.meta.url)('deno/install_api.cjs').runInstall();

/**
 * Runs a script in Deno and reads the JSON lines that it writes. They end with an Error if the script fails.
 * @param {string[]} args the script and its arguments
 */
const denoLines = (args) => {
  const child = spawn(denoExecutable(), ['run', '--allow-all', ...args], { cwd: ROOT });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text;
  });
  const closed = new Promise((resolve) => child.on('close', resolve));
  /** @returns {AsyncGenerator<any, undefined>} */
  const read = async function* () {
    for await (const line of createInterface(child.stdout)) {
      if (line.startsWith('{')) yield JSON.parse(line); // not what a library prints
    }
    const status = await closed;
    if (status !== 0) throw new Error(`Deno ended with status ${status}: ${errors.trim()}`);
  };
  return { lines: read(), stop: () => child.kill() };
};

/**
 * A test file in Deno.
 * @param {string} file by path in the project
 * @param {RegExp} [without] leaves out the tests whose names it finds
 * @returns {Promise<{ names: string[], start: () => ReturnType<typeof startTests> }>}
 */
export const testsInDeno = async (file, without) => {
  await bundleTest({ file, dir: FOLDER, root: ROOT, webgpu: 'tools/deno-webgpu.mjs' });
  const script = [join(FOLDER, `${testName(file)}.js`), ...(without ? ['--without', without.source] : [])];
  const { value } = await denoLines([...script, '--list']).lines.next();
  return { names: value.names, start: () => startTests(script) };
};

/** @param {string[]} script */
const startTests = (script) => {
  const { lines, stop } = denoLines(script);
  /** @type {Outcome[]} by index */
  const outcomes = [];
  /** @returns {Promise<boolean>} whether there was another line */
  const readLine = async () => {
    const { value, done } = await lines.next();
    if (value && 'index' in value) outcomes[value.index] = value;
    return !done;
  };
  return {
    /** Waits for a test. Throws an Error if Deno ends before it. @param {number} index in `names` @returns {Promise<Outcome>} */
    outcome: async (index) => {
      while (!outcomes[index]) if (!(await readLine())) throw new Error('Deno ended before this test.');
      return outcomes[index];
    },
    /** Waits for the end of Deno. Throws an Error if it fails after the last test. */
    end: async () => {
      while (await readLine());
    },
    stop,
  };
};

/**
 * Compiles WGSL sources through Naga.
 * @param {{ name: string, code: string }[]} sources
 * @returns {Promise<{ adapter: string, features: string[], compiled: { name: string, error?: string, lacks?: string }[] }>} in order; see compile-wgsl.mjs
 */
export const compileInDeno = async (sources) => {
  mkdirSync(FOLDER, { recursive: true });
  const file = join(FOLDER, 'sources.json');
  writeFileSync(file, JSON.stringify(sources));
  const { lines } = denoLines([join(ROOT, 'tools/compile-wgsl.mjs'), file]);
  const { value: device } = await lines.next();
  const compiled = [];
  for await (const line of lines) compiled.push(line);
  return { ...device, compiled };
};
