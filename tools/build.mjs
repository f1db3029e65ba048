// `npm run build`: the library (dist/*.js, dist/types), the command line (cli/dist) and the demo site (dist/demo).
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build as buildSite } from 'vite';
import { ROOT } from './bundle.mjs';
import { bundleCli, bundleLibrary, emitTypes } from './library.mjs';
import { checkSizes, firstAnswerSize } from './sizes.mjs';

const dist = join(ROOT, 'dist');
const cliDist = join(ROOT, 'cli/dist');

for (const folder of [dist, cliDist]) await rm(folder, { recursive: true, force: true });
const chunks = await bundleLibrary(dist);
await emitTypes(join(dist, 'types'));
await bundleCli(cliDist);
await buildSite({ configFile: join(ROOT, 'vite.config.ts'), logLevel: 'warn' });
checkSizes(chunks, await firstAnswerSize(join(dist, 'demo')));
