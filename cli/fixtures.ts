import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../tools/bundle.mjs';
import { bundleCli, bundleLibrary } from '../tools/library.mjs';

/** Builds the command line and the library in `folder`; resolves to the path of the command. */
export async function buildCli(folder: string): Promise<string> {
  // Under the library's package.json, the command's import of modernbert-webgpu/node finds the library that is built here.
  await copyFile(join(ROOT, 'package.json'), join(folder, 'package.json'));
  await bundleLibrary(join(folder, 'dist'));
  await bundleCli(join(folder, 'cli'));
  return join(folder, 'cli/main.js');
}
