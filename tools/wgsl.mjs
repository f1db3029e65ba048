// Makes `import text from './x.wgsl?raw'` a string in library builds, and shortens it there and in the built demo.
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * Block comments nest in WGSL, so their depth is counted. WGSL has no string literals that could look like a comment.
 * @param {string} source
 */
const removeComments = (source) => {
  let kept = '';
  let depth = 0;
  for (let i = 0; i < source.length; i++) {
    const two = source.slice(i, i + 2);
    if (two === '/*') {
      depth++;
      i++;
    } else if (depth > 0) {
      if (two !== '*/') continue;
      depth--;
      i++;
      kept += ' ';
    } else if (two === '//') {
      const end = source.indexOf('\n', i);
      i = (end < 0 ? source.length : end) - 1;
    } else {
      kept += source[i];
    }
  }
  return kept;
};

/** Lines that `specialise` (src/gpu/kernel.ts) and the binding of buffers read keep their spaces. */
const READ = /^(const \w+:|alias|enable|@group)|_unroll =/;

/**
 * Spaces that WGSL does not need. `a - -b` and `vec4<u32> = b` keep theirs, for -- and >= are tokens too.
 * @param {string} line
 */
const withoutSpaces = (line) =>
  READ.test(line)
    ? line
    : line
        .replace(/(?<!>) ([=!><]=|[-+*]=|>>|<<|=|[*+/%^|]|&&?|\|\||-(?! -)) /g, '$1')
        .replace(/([,;:]) /g, '$1')
        .replace(/\) \{/g, '){')
        .replace(/; \}/g, ';}')
        .replace(/\{ /g, '{')
        .replace(/ -> /g, '->')
        .replace(/^(if|for|while) \(/, '$1(');

/**
 * WGSL without comments, indentation, blank lines and most spaces; line ends stay, so that compilers' messages still point somewhere.
 * @param {string} source
 */
export const minifyWgsl = (source) =>
  removeComments(source)
    .split('\n')
    .map((line) => withoutSpaces(line.trim().replace(/\s+/g, ' ')))
    .filter((line) => line !== '')
    .join('\n');

const QUERY = /\.wgsl\?raw$/;

/**
 * A plugin for Rolldown and for Vite's build. (Vite's dev server and Vitest have their own `?raw`, which keeps line numbers.)
 */
export const wgsl = () => ({
  name: 'wgsl',
  /** @type {'build'} */
  apply: 'build',
  /** @type {'pre'} */
  enforce: 'pre',
  resolveId: {
    filter: { id: QUERY },
    /** @param {string} id @param {string | undefined} importer */
    handler: (id, importer) => resolve(importer ? dirname(importer) : '.', id),
  },
  load: {
    filter: { id: QUERY },
    /** @param {string} id */
    handler: async (id) => {
      const source = await readFile(id.replace(/\?raw$/, ''), 'utf8');
      return { code: `export default ${JSON.stringify(minifyWgsl(source))};`, moduleType: /** @type {const} */ ('js') };
    },
  },
});
