// Runs a TypeScript file of the project in Node: node tools/run.mjs [--adapter lavapipe|swiftshader|system] FILE.ts [args]
// The file is bundled as the library is, except that npm packages stay in node_modules. Of several --adapter the last counts, so that an npm
// script's can be overruled. The environment variable ADAPTER can name the adapter too; the default is the first of findNodeAdapters.
import { spawnSync } from 'node:child_process';
import { basename, join, resolve } from 'node:path';
import { findNodeAdapters, nodeAdapter } from './adapters.mjs';
import { bundle, ROOT } from './bundle.mjs';

const args = process.argv.slice(2);
/** @type {(string | undefined)[]} */
const given = [];
while (args.includes('--adapter')) given.push(args.splice(args.indexOf('--adapter'), 2)[1]);
const file = args.shift();
if (!file || given.includes(undefined)) {
  console.error('Usage: node tools/run.mjs [--adapter lavapipe|swiftshader|system] FILE.ts [args]');
  process.exit(2);
}

const named = given.at(-1) ?? process.env.ADAPTER;
const { name: adapterName, env } = named ? nodeAdapter(named) : findNodeAdapters()[0];
const name = basename(file).replace(/\.\w+$/, '');
const dir = join(ROOT, 'build/run', name);
await bundle({ name, file: resolve(file), dir, platform: 'node', packages: 'leave' });
const { status, error } = spawnSync(process.execPath, ['--enable-source-maps', join(dir, `${name}.js`), ...args], {
  stdio: 'inherit',
  env: { ...process.env, ...env, GPU_ADAPTER: adapterName },
});
if (error) throw error;
process.exit(status ?? 1);
