// Plugin that turns `import text from './x.wgsl?raw'` into a minified string, in library builds and in the built demo.
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * Block comments nest in WGSL, so this counts their depth. WGSL has no string literals that could look like a comment.
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

/** Lines that `specialise` (src/gpu/kernel.ts) and the buffer bindings are parsed from keep their spaces. */
const READ = /^(const \w+:|alias|enable|@group)|_unroll =/;

/**
 * Removes spaces that WGSL does not need. `a - -b` and `vec4<u32> = b` keep theirs, since -- and >= are tokens.
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
 * WGSL without comments, indentation, blank lines and most spaces. Line ends stay, so that compiler messages have useful positions.
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
 * Plugin for Rolldown and Vite's build. Vite's dev server and Vitest use Vite's `?raw`, which keeps line numbers.
 */
export const wgsl = (minify = true) => ({
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
      const text = minify ? minifyWgsl(source) : source;
      return { code: `export default ${JSON.stringify(text)};`, moduleType: /** @type {const} */ ('js') };
    },
  },
});
