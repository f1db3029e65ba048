import { deleteCached, listCached } from 'modernbert-webgpu/node';
import type { Command } from '../command';
import { CACHE_FOLDER, megabytes } from '../model';

const options = { 'cache-folder': CACHE_FOLDER };

export const cacheList: Command = {
  summary: 'List the models cached on this machine.',
  args: [],
  options,
  details:
    'Writes one JSON line per model, most recently used first: {"source", "revision", "commit", "dtype", "bytes", "lastUsed", …}.',
  async run({ values }) {
    for (const entry of await listCached({ cacheFolder: values.text('cache-folder') }))
      console.log(JSON.stringify(entry));
  },
};

export const cacheDelete: Command = {
  summary: "Delete a model from this machine's cache.",
  args: ['SOURCE'],
  options,
  details: 'SOURCE is as cache list prints it; all its revisions and dtypes are deleted.',
  async run({ args: [source], values }) {
    const bytes = await deleteCached(source, { cacheFolder: values.text('cache-folder') });
    if (bytes === 0) throw new Error(`${source} is not in the cache.`);
    console.error(`${megabytes(bytes)} freed`);
  },
};
