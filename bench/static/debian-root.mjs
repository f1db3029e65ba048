// The Debian 13 that the shaders are compiled in: its Mesa has the NVIDIA compiler (NAK), which Debian 12's lacks.
import { copyFileSync, cpSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../tools/bundle.mjs';
import { debianRoot } from '../../tools/debian-root.mjs';

/**
 * Makes the root unless it is there, and puts this Node and npm `webgpu` into it.
 * @returns {string} its folder
 */
export const compileRoot = () => {
  const root = debianRoot('modernbert-webgpu-debian13', [
    'mesa-vulkan-drivers',
    'mesa-drm-shim',
    'libvulkan1',
    'libstdc++6',
  ]);
  mkdirSync(join(root, 'bench/node_modules'), { recursive: true });
  copyFileSync(realpathSync(process.execPath), join(root, 'bench/node'));
  cpSync(join(ROOT, 'node_modules/webgpu'), join(root, 'bench/node_modules/webgpu'), { recursive: true });
  writeFileSync(join(root, 'bench/package.json'), '{ "type": "module" }');
  return root;
};
