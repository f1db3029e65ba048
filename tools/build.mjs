// `npm run build`: the library (dist/*.js, dist/types) and the demo site (dist/demo).
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build as buildSite } from 'vite';
import { ROOT } from './bundle.mjs';
import { bundleLibrary, emitTypes } from './library.mjs';
import { checkSizes, firstPaintSize } from './sizes.mjs';

const dist = join(ROOT, 'dist');

await rm(dist, { recursive: true, force: true });
const chunks = await bundleLibrary(dist);
await emitTypes(join(dist, 'types'));
await buildSite({ configFile: join(ROOT, 'vite.config.ts'), logLevel: 'warn' });
checkSizes(chunks, await firstPaintSize(join(dist, 'demo')));
