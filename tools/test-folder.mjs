// Makes one folder for all temporary files of a test run and removes it afterwards: tests write dozens of checkpoints.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Vitest's global set-up. os.tmpdir() reads these variables in every test process. */
export default function setup() {
  const folder = mkdtempSync(join(tmpdir(), 'modernbert-webgpu-tests-'));
  for (const name of ['TMPDIR', 'TEMP', 'TMP']) process.env[name] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
