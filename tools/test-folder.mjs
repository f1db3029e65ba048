// One folder for all temporary files of a test run, which goes when the run ends: tests make checkpoints by the dozen.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Vitest's global set-up: os.tmpdir() of every test process reads these. */
export default function setup() {
  const folder = mkdtempSync(join(tmpdir(), 'modernbert-webgpu-tests-'));
  for (const name of ['TMPDIR', 'TEMP', 'TMP']) process.env[name] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
