/** The code blocks of a page of documentation as one program, for tests that compile or run them. */
import { transformWithOxc } from 'vite';

/** A block's imports as declarations in its own scope, so that two blocks of a page can import the same. */
const inScope = (block: string): string =>
  block
    .replace(/^import type \{([^}]*)\}/gm, (_text, names) => `import {${names.replace(/\w+/g, 'type $&')}}`)
    .replace(/^import (?:(\w+)|(?:\* as (\w+))|\{([^}]*)\}) from ('[^']*');$/gm, (_text, whole, all, names, from) => {
      if (whole) return `const { default: ${whole} } = await import(${from});`;
      if (all) return `const ${all} = await import(${from});`;
      const [types, values] = [true, false].map((isType) =>
        (names as string)
          .split(',')
          .map((name) => name.trim())
          .filter((name) => name && name.startsWith('type ') === isType),
      );
      return [
        ...types.map((name) => `type ${name.slice(5)} = import(${from}).${name.slice(5)};`),
        ...(values.length > 0
          ? [`const { ${values.join(', ').replaceAll(' as ', ': ')} } = await import(${from});`]
          : []),
      ].join(' ');
    });

/**
 * A page's program in TypeScript: each block sees what those before it declared, and may declare it anew. Blocks that do not import
 * loadModel have that of the main entry.
 */
export const moduleOf = (blocks: string[]): string =>
  `export async function page() {
const { loadModel } = await import('modernbert-webgpu');
${blocks.reduceRight((rest, block) => `await (async () => {\n${inScope(block)}\n${rest}})();\n`, '')}}
`;

/** The same in JavaScript, as an expression: a function of what imports a module by its name. */
export async function programOf(blocks: string[]): Promise<string> {
  const { code } = await transformWithOxc(moduleOf(blocks), 'page.ts');
  return `(importing) => {${code.replace('export async', 'async').replaceAll(/\bimport\(/g, 'importing(')}; return page();}`;
}
