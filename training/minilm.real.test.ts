import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { convertModel } from '../src/node';
import { ROOT } from '../tools/bundle.mjs';
import { PREPARED_FILE, type Prepared } from '../tools/real/prepare.mjs';

const NAME = 'all-MiniLM-L6-v2';
const found = (JSON.parse(readFileSync(PREPARED_FILE, 'utf8')) as Record<string, Prepared>)[NAME];

it('the built-in all-MiniLM-L6-v2 is what the published weights convert to', async ({ skip }) => {
  if ('notTested' in found) return skip(`not fetched: ${NAME} was not tested (${found.notTested})`);
  const folder = await mkdtemp(join(tmpdir(), 'minilm-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await convertModel(found.folder, join(folder, 'q4'), { dtype: 'q4' });
  const own = join(ROOT, 'public/models', NAME);
  const entries = await readdir(join(folder, 'q4'), { recursive: true, withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const converted = names
    .map((name) => name.slice(folder.length + '/q4/'.length))
    .filter((name) => name !== 'README.md');
  expect(converted).toContain('model.safetensors');
  for (const name of converted) {
    const [ours, theirs] = await Promise.all([own, join(folder, 'q4')].map((of) => readFile(join(of, name))));
    expect(ours.equals(theirs), name).toBe(true);
  }
});
