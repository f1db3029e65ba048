// Which part of the project may import which (src/ARCHITECTURE.md), and a check of one file against it.
import { posix } from 'node:path';
import { parseSync } from 'rolldown/utils';

/**
 * Parts are folders of src, top-level files of src by their stem, and folders beside src. `types`: for `import type` only.
 * @typedef {{ imports: string[], types?: string[] }} Rule
 */

/**
 * From the outside in; each part imports only parts below it.
 * @type {Record<string, Rule>}
 */
export const LAYERS = {
  demo: { imports: ['index', 'classifier', 'progress', 'search', 'seeded-random', 'time-left', 'turns', 'bench'] }, // bench: the benchmark page
  examples: { imports: [] }, // packages of their own: they import modernbert-webgpu as any app does
  e2e: { imports: ['index', 'api', 'tools'], types: ['bench', 'search'] },
  bench: {
    imports: [
      'index',
      'node',
      'search',
      'session',
      'runtime',
      'model',
      'kernels',
      'gpu',
      'sources',
      'formats',
      'tokenizer',
      'packing',
      'api',
      'tools',
    ],
  },
  training: { imports: ['node', 'api', 'tools', 'demo'] }, // demo: late.ts measures how its tab for long texts reads
  fuzz: { imports: ['cli', 'search', 'model', 'formats', 'tokenizer', 'seeded-random', 'api'] },
  cli: { imports: [] }, // its own package: it imports modernbert-webgpu/node as any user does

  index: { imports: ['session', 'similarity', 'packed-vectors', 'sparse', 'in-batches', 'worker-parts', 'api'] },
  inline: { imports: ['index', 'inline-worker', 'api'] },
  thread: { imports: ['index', 'session', 'store', 'api'] },
  search: { imports: ['index', 'kernels', 'gpu', 'formats', 'same-space', 'turns', 'api'] },
  transformers: { imports: ['index', 'api'] },
  'ai-sdk': { imports: ['api'] },
  langchain: { imports: ['api'] },
  classifier: { imports: ['seeded-random', 'turns', 'api'] },
  progress: { imports: ['time-left', 'api'] },
  fallback: {
    imports: [
      'index',
      'session',
      'tasks',
      'runtime',
      'model',
      'kernels',
      'packing',
      'sources',
      'formats',
      'turns',
      'api',
    ],
  },
  shared: { imports: ['index', 'session', 'start-shared-worker', 'api'] },
  'shared-worker': { imports: ['shared', 'worker'] },
  worker: { imports: ['session', 'store', 'api'] },
  node: {
    imports: [
      'session',
      'model',
      'similarity',
      'packed-vectors',
      'sparse',
      'in-batches',
      'sources',
      'store',
      'formats',
      'api',
    ],
  },

  session: {
    imports: [
      'tasks',
      'runtime',
      'model',
      'kernels',
      'gpu',
      'store',
      'sources',
      'formats',
      'tokenizer',
      'sparse',
      'start-worker',
      'worker-parts',
      'turns',
      'api',
    ],
  },
  tasks: { imports: ['runtime', 'model', 'tokenizer', 'sparse', 'turns', 'api'] },
  runtime: { imports: ['model', 'kernels', 'gpu', 'packing', 'api'] },
  model: { imports: ['kernels', 'gpu', 'formats', 'api'] },
  kernels: { imports: ['gpu', 'formats', 'api'] },
  gpu: { imports: ['api'] },

  store: { imports: ['sources', 'formats', 'api'] },
  sources: { imports: ['formats', 'api'] },
  formats: { imports: ['api'] },
  tokenizer: { imports: ['formats', 'api'] },
  packing: { imports: [] },
  similarity: { imports: ['packed-vectors', 'same-space', 'api'] },
  'packed-vectors': { imports: ['api'] },
  sparse: { imports: ['same-space', 'api'] },
  'same-space': { imports: [] },
  'in-batches': { imports: ['api'] },
  'inline-worker': { imports: ['start-worker'] },
  'seeded-random': { imports: [] },
  'time-left': { imports: [] },
  turns: { imports: [] },
  'start-worker': { imports: [] },
  'start-shared-worker': { imports: [] },
  'worker-parts': { imports: [] },
  api: { imports: [] },
};

/** The only shipped files that may use Node: the rest runs in browsers. */
const NODE_FILES = [
  'src/node.ts',
  'src/store/plans-folder.ts',
  'src/sources/folder.ts',
  'src/store/folder.ts',
  'src/formats/convert-folder.ts',
];
/** Parts that run in Node anyway. */
const NODE_PARTS = ['cli', 'e2e', 'bench', 'training', 'fuzz', 'tools'];

/** Tests, and what is named as a help for them, may import anything; nothing else may import them. */
const TEST_FILE = /(\.test\.[mc]?[jt]s|(^|\/)(fixtures|reference|test-[\w-]+)(\/.*|\.ts))$/;

/** @param {string} path relative to the project, with / */
export const partOf = (path) => {
  const [top, second] = path.split('/');
  return top === 'src' && second ? second.replace(/\.\w+$/, '') : top;
};

/**
 * @typedef {{ line: number, specifier: string, kind: 'value' | 'type' }} Import
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
      found.push({ line, specifier: from.value, kind: isType ? 'type' : 'value' });
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
  const others = [...rule.imports, ...(rule.types ?? []).map((name) => `${name} (types)`)];
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
