// `npm run setup`, also run by `npm test`: makes sure that the machine has a Chromium, a Firefox and a Vulkan driver that Dawn accepts.
// As root on Debian or Ubuntu it installs what is missing; otherwise it prints the commands to run and stops.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findChromium, findFirefox, findNodeAdapters, probeAdapter } from './adapters.mjs';
import { readSources } from './apt-sources.mjs';
import { installPlan, shellLines } from './install-plan.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** What the machine has, as lines to print, and what it lacks. */
const inspect = () => {
  const chromium = findChromium();
  const firefox = findFirefox();
  const lines = [
    `Chromium: ${chromium ?? 'none found (CHROME_PATH can name one)'}`,
    `Firefox: ${firefox ?? "none found (install Mozilla's; FIREFOX_PATH can name one)"}`,
  ];
  /** @type {Set<string>} */
  const working = new Set();
  for (const adapter of findNodeAdapters()) {
    const probe = probeAdapter(adapter);
    if ('description' in probe) working.add(adapter.name);
    lines.push(`${adapter.name}: ${'description' in probe ? probe.description : probe.error}`);
  }
  // A GPU is enough on a system without software drivers; elsewhere the tests need both software drivers.
  const system = working.has('system') && chromium !== undefined;
  const needs = {
    chromium: chromium === undefined || !(system || working.has('swiftshader')),
    firefox: firefox === undefined,
    vulkan: !(system || working.has('lavapipe')),
  };
  return { lines, needs, ready: !Object.values(needs).includes(true) };
};

/** @param {string} message @returns {never} */
const stop = (message) => {
  console.error(message);
  process.exit(1);
};

let state = inspect();
if (!state.ready) {
  console.log(state.lines.join('\n'));
  const isRoot = process.getuid?.() === 0;
  const osRelease = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const { steps, byHand } = installPlan({
    platform: process.platform,
    osRelease,
    sources: readSources(),
    isRoot,
    needs: state.needs,
  });
  if (byHand) stop(['This machine lacks what the tests need.', byHand, ...shellLines(steps, isRoot)].join('\n'));
  for (const step of steps) {
    console.log(`+ ${shellLines([step], isRoot).join('\n')}`);
    if ('write' in step) {
      writeFileSync(step.write, step.text);
    } else {
      const [command, ...args] = step.run;
      const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
      try {
        execFileSync(command, args, { stdio: 'inherit', cwd: ROOT, env });
      } catch {
        stop(`\`${step.run.join(' ')}\` failed; see its message above. Fix that, then run \`npm run setup\` again.`);
      }
    }
  }
  state = inspect();
}
console.log(state.lines.join('\n'));
if (!state.ready) stop('Setup can install no more here, but a browser or a driver above is missing or does not work.');
