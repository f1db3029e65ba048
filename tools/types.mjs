// Copies the type declarations that the library's entries reach, with imports that every kind of module resolution finds.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';

const RELATIVE_IMPORT = /(\bfrom\s*|\bimport\s*\(\s*|\bimport\s+)(['"])(\.{1,2}\/[^'"]+)\2/g;

/**
 * Node's resolution needs full file names: `./api.js`, for which TypeScript reads api.d.ts, where the sources say `./api`.
 * @param {string} declarations text of a .d.ts file
 * @returns {{ text: string, imports: string[] }} `imports` without extension
 */
export const withExtensions = (declarations) => {
  /** @type {string[]} */
  const imports = [];
  const text = declarations.replace(RELATIVE_IMPORT, (_match, start, quote, path) => {
    imports.push(path);
    return `${start}${quote}${path}.js${quote}`;
  });
  return { text, imports };
};

/**
 * Copies the declarations that the entries reach; the compiler emits those of every source file.
 * @param {{ from: string, to: string, entries: string[] }} options entries without extension
 * @returns {Promise<string[]>} the files, relative to `to`
 */
export const copyTypes = async ({ from, to, entries }) => {
  const names = [...entries];
  for (const name of names) {
    const { text, imports } = withExtensions(await readFile(join(from, `${name}.d.ts`), 'utf8'));
    await mkdir(dirname(join(to, name)), { recursive: true });
    await writeFile(join(to, `${name}.d.ts`), text);
    for (const path of imports) {
      const target = normalize(join(dirname(name), path));
      if (!names.includes(target)) names.push(target);
    }
  }
  return names.map((name) => `${name}.d.ts`);
};
