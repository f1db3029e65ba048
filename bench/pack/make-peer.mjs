// The pack's add-on for the stage peer: ONNX Runtime Web and graphs without weights, as an archive to unpack where the pack was unpacked.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { ROOT } from '../../tools/bundle.mjs';

const MODES = ['f32', 'f16'];
// JSPI's build is smaller, but Node 20 has no WebAssembly.Suspending.
const ORT = ['ort.webgpu.bundle.min.mjs', 'ort-wasm-simd-threaded.asyncify.wasm'];
const staging = join(ROOT, 'build/bench-pack-peer');
const archive = join(ROOT, 'build/bench-pack-peer.tar.xz');

/** The modes whose graphs a folder written by peer_graph.py has. Throws if there are none. @param {string} folder */
export const peerModes = (folder) => {
  const modes = MODES.filter((mode) => existsSync(join(folder, mode, 'model.onnx')));
  if (modes.length > 0) return modes;
  throw new Error(
    `${folder} has neither f32/model.onnx nor f16/model.onnx. \`python3 bench/pack/peer_graph.py graph\` writes them.`,
  );
};

/** @param {string} folder of the graphs @param {boolean} quick whether to compress little */
export const makePeer = (folder, quick = false) => {
  const modes = peerModes(folder);
  const peer = join(staging, 'bench-pack/peer');
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(peer, { recursive: true });
  const ort = dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
  for (const file of ORT) cpSync(join(ort, file), join(peer, file));
  // The npm package has no licence file.
  cpSync(join(ROOT, 'tools/onnxruntime-license.txt'), join(peer, 'LICENSE'));
  for (const mode of modes) {
    for (const file of ['model.onnx', 'weights.json']) cpSync(join(folder, mode, file), join(peer, mode, file));
  }
  execFileSync('tar', ['-cJf', archive, '-C', staging, 'bench-pack'], {
    env: { ...process.env, XZ_OPT: quick ? '-0 -T0' : '-9e' },
  });
  console.log(
    `${relative(ROOT, archive)}: ${(statSync(archive).size / 1e6).toFixed(1)} MB; ONNX Runtime Web, graphs: ${modes.join(', ')}`,
  );
};
