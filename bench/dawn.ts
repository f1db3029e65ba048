import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { create } from 'webgpu';
import { webgpuFolder } from './environment';
import { UsageError } from './usage-error';

/** Dawn with these toggles enabled. It silently ignores unknown ones, so their names are looked up in its binary. Throws a UsageError for them. */
export function createDawn(toggles: string[]): GPU {
  if (toggles.length > 0) {
    const binary = readFileSync(join(webgpuFolder(), 'dist', `${process.platform}-${process.arch}`, 'dawn.node'));
    const unknown = toggles.find((name) => !binary.includes(`\0${name}\0`));
    if (unknown) throw new UsageError(`--dawn: Dawn has no toggle named '${unknown}'.`);
  }
  return create(toggles.map((name) => `enable-dawn-features=${name}`));
}
