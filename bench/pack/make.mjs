// npm run bench:pack [-- --quick --peer]: packs the GPU tests and the benchmark for a bare x86-64 Linux machine, as a folder and an
// archive in build/.
//
// The pack contains Node, Dawn, the benchmark, the GPU tests and the data they read, at the same paths as in the project. --quick makes a .tar
// that is not compressed, and so checks nothing about the size. --peer writes the add-on for the stages peer and peer-f16 as well (make-peer.mjs).
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle, ROOT } from '../../tools/bundle.mjs';
import { bundleTest, checkGpuTests, filesNamedIn, gpuTests, inPlace } from '../../tools/test-bundle.mjs';
import { makePeer } from './make-peer.mjs';

const MOST_BYTES = 56e6;
const { quick, peer } = parseArgs({ options: { quick: { type: 'boolean' }, peer: { type: 'boolean' } } }).values;
const pack = join(ROOT, 'build/bench-pack');
const archive = join(ROOT, `build/bench-pack.tar${quick ? '' : '.xz'}`);

/** Data that the benchmark and the tests read, by path in the project. */
const DATA = ['public/models/nano', 'src/model/fixtures/golden', 'src/reference/fixtures', 'bench/shapes'];
/** What transformers.js brings, with which tests compare. */
const NATIVE = ['onnxruntime-node', 'sharp'];
/** Scripts of the project that tests and the benchmark run, and import. */
const TOOLS = ['tools/random-checkpoint.mjs', 'tools/make-checkpoint.mjs'];
/** Files of this folder, which go to the pack's top. */
const FILES = ['run.sh', 'run-tests.mjs', 'probe.mjs', 'webgpu.mjs', 'torch_bench.py', 'README.md'];

/** Debug symbols are a tenth of node's size. @param {string} from @param {string} to */
const stripped = (from, to) => {
  mkdirSync(dirname(to), { recursive: true });
  execFileSync('strip', ['-o', to, from]);
};

const commit = () => {
  const git = (/** @type {string[]} */ ...args) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  const isDirty = git('status', '--porcelain', '--untracked-files=no', '--', 'src') !== '';
  return `${git('rev-parse', '--short=12', 'HEAD')}${isDirty ? '-dirty' : ''}`;
};

if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.error(
    `The pack must be made on x86-64 Linux, because it contains this machine's Node and Dawn; this is ${process.platform}-${process.arch}.`,
  );
  process.exit(1);
}

rmSync(pack, { recursive: true, force: true });
mkdirSync(pack, { recursive: true });
for (const [name, file] of [
  ['bench', 'bench/main.ts'],
  ['sweep', 'bench/sweep.ts'],
  ['search', 'bench/search-gpu.ts'],
  ['peer', 'bench/pack/peer.ts'],
]) {
  await bundle({ name, file, dir: pack, platform: 'node', plugins: [inPlace(pack, pack)] });
}
const tests = join(pack, 'tests');
checkGpuTests();
/** @type {Record<string, string>} why a test file is not in the pack, by path in the project */
const leftOut = {};
for (const file of gpuTests()) {
  const missing = filesNamedIn(file).filter((path) => !DATA.some((packed) => `${path}/`.startsWith(`${packed}/`)));
  if (missing.length > 0) {
    leftOut[file] = `it reads ${missing.join(', ')}, which the pack has not`;
    continue;
  }
  const chunks = await bundleTest({ file, dir: tests, root: pack, webgpu: 'bench/pack/webgpu.mjs' });
  const ids = chunks.flatMap(({ moduleIds }) => moduleIds);
  const native = NATIVE.find((name) => ids.some((id) => id.includes(`/node_modules/${name}/`)));
  if (!native) continue;
  leftOut[file] = `it needs the package ${native}, which has a native part`;
  for (const { fileName } of chunks) rmSync(join(tests, fileName));
}
for (const [file, reason] of Object.entries(leftOut)) console.log(`Not in the pack: ${file}, because ${reason}.`);
writeFileSync(join(tests, 'left-out.json'), JSON.stringify(leftOut));
for (const path of readdirSync(pack, { recursive: true })) {
  if (String(path).endsWith('.map')) rmSync(join(pack, String(path)));
}

const webgpu = dirname(createRequire(import.meta.url).resolve('webgpu'));
for (const file of ['index.js', 'package.json', 'LICENSE.md']) {
  cpSync(join(webgpu, file), join(pack, 'node_modules/webgpu', file));
}
stripped(join(webgpu, 'dist/linux-x64/dawn.node'), join(pack, 'node_modules/webgpu/dist/linux-x64/dawn.node'));
stripped(process.execPath, join(pack, 'bin/node'));
// For machines with a Vulkan driver but no loader (containers).
const loader = ['/usr/lib/x86_64-linux-gnu', '/usr/lib64', '/usr/lib'].map((dir) => join(dir, 'libvulkan.so.1'));
const found = loader.find((path) => existsSync(path));
if (!found) throw new Error('libvulkan.so.1, which the pack needs, is not installed. Run `npm run setup`.');
cpSync(found, join(pack, 'lib/libvulkan.so.1'), { dereference: true });

for (const file of FILES) cpSync(join(ROOT, 'bench/pack', file), join(pack, file));
for (const path of [...TOOLS, ...DATA]) cpSync(join(ROOT, path), join(pack, path), { recursive: true });
writeFileSync(join(pack, 'COMMIT'), `${commit()}\n`);

// xz's filter for x86 code makes Node and Dawn 5% smaller.
execFileSync('tar', [quick ? '-cf' : '-cJf', archive, '-C', dirname(pack), basename(pack)], {
  env: { ...process.env, XZ_OPT: '--x86 --lzma2=preset=9e,dict=128MiB' },
});
const { size } = statSync(archive);
console.log(`${relative(ROOT, archive)}: ${(size / 1e6).toFixed(1)} MB; ${relative(ROOT, pack)} has the same files`);
if (peer) makePeer(quick);
if (!quick && size > MOST_BYTES) {
  console.error(`The pack is too large: the limit is ${MOST_BYTES / 1e6} MB.`);
  process.exit(1);
}
