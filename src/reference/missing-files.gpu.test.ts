import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { withModel } from '../session/fixtures';
import { startFaulty } from '../sources/fixtures';
import { folderOf } from './calls';

it('loads from a server that answers 403 for every file that is not there, as storage does', async () => {
  const folder = folderOf('mlm-sharded');
  const files = Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(`${folder}/${name}`)]));
  const server = await startFaulty(files);
  try {
    await withModel(server.url('403 for missing files'), { dtype: 'f32', cache: 'none' }, async ({ info }) => {
      expect([info.task, info.pooling]).toEqual(['mlm', ['mean']]);
    });
    const asked = server.requests.map(({ name }) => name);
    expect(asked).toEqual(
      expect.arrayContaining(['modules.json', 'model.safetensors', 'model.safetensors.index.json']),
    );
  } finally {
    server.close();
  }
});
