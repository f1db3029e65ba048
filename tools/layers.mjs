// Which part of the project may import which (src/ARCHITECTURE.md), and a check of one file against it.
import { posix } from 'node:path';
import { parseSync } from 'rolldown/utils';

/**
 * Parts are folders of src, top-level files of src by their stem, and folders beside src. `types`: for `import type` only.
 * `lazy`: for dynamic `import()` only, so that it stays out of the importer's own file.
 * @typedef {{ imports: string[], types?: string[], lazy?: string[] }} Rule
 */

const LEAVES = ['files', 'tokenizer', 'packing', 'errors', 'api', 'api-calls'];

/** @type {Record<string, Rule>} */
export const LAYERS = {
  demo: { imports: ['index', 'bench', 'passages'] }, // bench: the benchmark page
  e2e: { imports: ['index', 'tools'], types: ['bench'] },
  bench: { imports: ['index', 'node', 'encoder', 'model', 'kernels', 'gpu', 'tools', ...LEAVES] },

  cli: { imports: ['node', 'passages', 'api', 'api-calls', 'package.json'] }, // a user of the library like any other

  index: { imports: ['client', 'similarity', 'errors', 'api', 'api-calls'], lazy: ['cached'] },
  cached: { imports: ['files', 'api'] },
  client: {
    imports: ['wire-error', 'errors', 'api', 'api-calls'],
    types: ['worker-session'],
    lazy: ['encoder', 'plan-store', 'files'],
  },
  worker: { imports: ['worker-session', 'encoder', 'plan-store', 'files', 'errors', 'api'] },
  'plan-store': { imports: [], types: ['kernels'] },
  'plan-file': { imports: [], types: ['kernels'] },
  'worker-session': { imports: ['wire-error', 'errors', 'api', 'api-calls'] },
  'wire-error': { imports: ['errors', 'api'] },
  node: { imports: ['encoder', 'similarity', 'plan-file', ...LEAVES] },

  encoder: { imports: ['tasks', 'scheduler', 'model', 'kernels', 'gpu', ...LEAVES] },
  tasks: { imports: ['forward', ...LEAVES], types: ['scheduler', 'model'] },
  forward: { imports: LEAVES, types: ['scheduler', 'model'] },
  scheduler: { imports: ['model', ...LEAVES] },
  model: { imports: ['kernels', 'gpu', ...LEAVES] },
  kernels: { imports: ['gpu', 'shaders', 'files', 'errors', 'api', 'api-calls'] },
  gpu: { imports: ['errors', 'api'] },

  files: { imports: ['errors', 'api'] },
  tokenizer: { imports: ['files', 'errors', 'api', 'api-calls'] },
  packing: { imports: ['errors', 'api'] },
  passages: { imports: ['errors', 'api', 'api-calls'] },
  similarity: { imports: ['api-calls'] },
  errors: { imports: [] },
  api: { imports: ['api-calls'] },
  'api-calls': { imports: [] },
  shaders: { imports: [] },
};

/** The only shipped files that may use Node: the rest runs in browsers. */
const NODE_FILES = [
  'src/node.ts',
  'src/plan-file.ts',
  'src/files/folder.ts',
  'src/files/store-folder.ts',
  'src/files/convert-folder.ts',
];
/** Parts that run in Node anyway. */
const NODE_PARTS = ['cli', 'e2e', 'bench', 'tools'];

/** Tests, and what is named as a help for them, may import anything; nothing else may import them. */
const TEST_FILE = /(\.test\.[mc]?[jt]s|(^|\/)(fixtures|reference|test-[\w-]+)(\/.*|\.ts))$/;

/** @param {string} path relative to the project, with / */
export const partOf = (path) => {
  const [top, second] = path.split('/');
  return top === 'src' && second ? second.replace(/\.\w+$/, '') : top;
};

/**
 * @typedef {{ line: number, specifier: string, kind: 'value' | 'type' | 'lazy' }} Import
 * @param {string} path
 * @param {string} source
 * @returns {Import[]} static and dynamic imports, re-exports and `import('…')` types
 */
export const importsOf = (path, source) => {
  const { program, errors } = parseSync(path, source);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0].message}`);
  /** @type {Import[]} */
  const found = [];
  /** @param {unknown} node */
  const visit = (node) => {
    if (node === null || typeof node !== 'object') return;
    if (Array.isArray(node)) {
      node.forEach(visit);
      return;
    }
    const { type, source: from, importKind, exportKind, start } = /** @type {Record<string, any>} */ (node);
    if (typeof from?.value === 'string') {
      const line = source.slice(0, start).split('\n').length;
      const isType = type === 'TSImportType' || importKind === 'type' || exportKind === 'type';
      const kind = isType ? 'type' : type === 'ImportExpression' ? 'lazy' : 'value';
      found.push({ line, specifier: from.value, kind });
    }
    Object.values(node).forEach(visit);
  };
  visit(program);
  return found;
};

/**
 * Why one import is not allowed.
 * @param {string} path of the importing file
 * @param {Import} entry
 * @returns {string | undefined} the rule that it breaks
 */
const brokenRule = (path, { specifier, kind }) => {
  const part = partOf(path);
  if (specifier.startsWith('node:')) {
    const allowed = NODE_FILES.includes(path) || NODE_PARTS.includes(part);
    return allowed ? undefined : `only ${NODE_FILES.join(' and ')} may use Node, all else runs in browsers`;
  }
  if (!specifier.startsWith('.')) return undefined;
  const target = posix.join(posix.dirname(path), specifier.replace(/\?.*$/, ''));
  if (TEST_FILE.test(target) || TEST_FILE.test(`${target}.ts`))
    return 'only tests may import tests and their references';
  const other = partOf(target);
  if (other === part) return undefined;
  const rule = LAYERS[part];
  if (!rule) return `${part} is no part that the table knows; add it to LAYERS in tools/layers.mjs`;
  if (rule.imports.includes(other)) return undefined;
  if (kind === 'type' && rule.types?.includes(other)) return undefined;
  if (kind !== 'value' && rule.lazy?.includes(other)) return undefined;
  const others = [
    ...rule.imports,
    ...(rule.types ?? []).map((name) => `${name} (types)`),
    ...(rule.lazy ?? []).map((name) => `${name} (dynamically)`),
  ];
  return `${part} may import only: ${others.join(', ') || 'nothing'}`;
};

/**
 * @param {string} path relative to the project, with /
 * @param {string} source
 * @returns {string[]} one line for every import that breaks a rule
 */
export const checkFile = (path, source) => {
  if (TEST_FILE.test(path)) return [];
  return importsOf(path, source).flatMap((entry) => {
    const rule = brokenRule(path, entry);
    return rule ? [`${path}:${entry.line}: import of '${entry.specifier}': ${rule}.`] : [];
  });
};
