// Part of `npm run lint`: checks every import of the project against the table in layers.mjs.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkFile } from './layers.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const files = ['src', 'cli', 'demo', 'examples', 'e2e', 'bench', 'training']
  .filter((folder) => existsSync(join(ROOT, folder)))
  .flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.[mc]?[jt]sx?$/.test(name) && !/(^|[\\/])(dist|build|node_modules|\.next)[\\/]/.test(name))
      .map((name) => `${folder}/${name.split(sep).join('/')}`),
  );
const problems = files.flatMap((path) => checkFile(path, readFileSync(join(ROOT, path), 'utf8')));
for (const problem of problems) console.error(problem);
console.log(`Layers: ${files.length} files, ${problems.length} imports that the table does not allow.`);
process.exit(problems.length > 0 ? 1 : 0);
