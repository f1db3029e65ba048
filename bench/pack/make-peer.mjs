// The pack's add-on for the stages peer and peer-f16: ONNX Runtime Web, as an archive to unpack where the pack was unpacked.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { ROOT } from '../../tools/bundle.mjs';

/** What bench/peer/onnx-runtime.ts reads, and the file by which Node finds the package. */
const FILES = ['ort.webgpu.bundle.min.mjs', 'ort-wasm-simd-threaded.asyncify.wasm', 'ort.node.min.js'];
const staging = join(ROOT, 'build/bench-pack-peer');
const archive = join(ROOT, 'build/bench-pack-peer.tar.xz');

/** @param {boolean} quick whether to compress little */
export const makePeer = (quick = false) => {
  const folder = join(staging, 'bench-pack/node_modules/onnxruntime-web');
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const dist = dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
  for (const file of FILES) cpSync(join(dist, file), join(folder, 'dist', file));
  cpSync(join(dist, '../package.json'), join(folder, 'package.json'));
  // The npm package has no licence file.
  cpSync(join(ROOT, 'tools/onnxruntime-license.txt'), join(folder, 'LICENSE'));
  execFileSync('tar', ['-cJf', archive, '-C', staging, 'bench-pack'], {
    env: { ...process.env, XZ_OPT: quick ? '-0 -T0' : '-9e' },
  });
  console.log(`${relative(ROOT, archive)}: ${(statSync(archive).size / 1e6).toFixed(1)} MB, ONNX Runtime Web`);
};
