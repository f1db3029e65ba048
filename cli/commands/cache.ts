import { deleteCached, listCached } from 'modernbert-webgpu/node';
import type { Command } from '../command';
import { CACHE_FOLDER, megabytes } from '../model';

const options = { 'cache-folder': CACHE_FOLDER };

export const cacheList: Command = {
  summary: 'The models that are kept on this machine.',
  args: [],
  options,
  details:
    'Writes a line of JSON for each, the one used last first: {"source", "revision", "commit", "dtype", "bytes", "lastUsed", …}.',
  async run({ values }) {
    for (const entry of await listCached({ cacheFolder: values.text('cache-folder') }))
      console.log(JSON.stringify(entry));
  },
};

export const cacheDelete: Command = {
  summary: 'Frees the space of a model that is kept on this machine.',
  args: ['SOURCE'],
  options,
  details: 'SOURCE is what cache list calls it; all its revisions and dtypes are deleted.',
  async run({ args: [source], values }) {
    const bytes = await deleteCached(source, { cacheFolder: values.text('cache-folder') });
    if (bytes === 0) throw new Error(`The cache has no ${source}.`);
    console.error(`${megabytes(bytes)} freed`);
  },
};
