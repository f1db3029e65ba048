/** The code blocks of the documentation, and the test that runs each. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './bundle.mjs';

export interface Block {
  /** The page's path from the project's folder. */
  page: string;
  /** As the fence has it; may be empty. */
  language: string;
  code: string;
}

const API = 'docs/api.md';

/** The fenced blocks of a page, in order. Those below a heading of docs/api.md are declarations, which `npm run docs` takes from the sources. */
export function blocksOf(page: string): Block[] {
  const all = readFileSync(join(ROOT, page), 'utf8').matchAll(/(^#.*\n\n)?^( *)```(\w*)\n([\s\S]*?)^\2```$/gm);
  return [...all].flatMap(([, heading, , language, code]) =>
    page === API && heading ? [] : [{ page, language, code }],
  );
}

const foldersIn = (path: string): string[] =>
  readdirSync(join(ROOT, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${path}/${name}`);

/** The pages for readers. */
export const PAGES: string[] = [
  '',
  'docs/',
  'docs/guide/',
  'cli/',
  'examples/',
  ...foldersIn('examples').map((path) => `${path}/`),
]
  .flatMap((folder) => readdirSync(join(ROOT, folder)).map((name) => folder + name))
  .filter((path) => path.endsWith('.md'));

export const GUIDES = 'tools/guide.gpu.test.ts';
/** Says of blocks of npm's commands whether the scripts and packages are there. */
export const NPM = 'tools/doc-blocks.test.ts';
const [APPS, EXAMPLES, COMMANDS] = ['e2e/hosts.apps.test.ts', 'e2e/examples.apps.test.ts', 'cli/docs.gpu.test.ts'];
const POSTGRES = 'cli/commands/index-files.postgres.test.ts';

/** Why a block is not run. */
interface NotRun {
  notRun: string;
}

/**
 * Page → a text that only this block of the page has → its test. `*` stands for all other blocks of the page. What is not here: `ts` and
 * `js` of docs/guide and docs/api.md are run by tools/guide.gpu.test.ts, and blocks of nothing but npm's commands are checked.
 */
export const RUN_BY: Record<string, Record<string, string | NotRun>> = {
  'README.md': {
    similarity: 'tools/readme.test.ts',
    '<!doctype html>': 'tools/readme.test.ts',
    'texts.jsonl': COMMANDS,
    '--enqueue': POSTGRES,
  },
  'cli/README.md': { '*': COMMANDS },
  'docs/guide/cli.md': { '*': COMMANDS },
  'docs/guide/dtypes.md': { 'npx ': COMMANDS },
  'docs/guide/entities.md': {
    'from gliner': {
      notRun: 'Python, with a checkpoint of the Hub; src/reference/make_gliner.py saved the fixtures by the same call',
    },
  },
  'docs/guide/evaluate.md': { '*': COMMANDS },
  'docs/guide/fallback.md': { 'npm install': NPM, '*': 'e2e/fallback.test.ts' },
  'docs/guide/install.md': { packageExports: 'e2e/bundled.apps.test.ts', '*': APPS },
  'docs/guide/loading.md': {
    "state: 'failed'": 'e2e/cache.test.ts',
    createPolicy: 'e2e/package.test.ts',
    '*': 'e2e/loading-guide.test.ts',
  },
  'docs/guide/migrating.md': { '*': 'tools/guide-migrating.gpu.test.ts' },
  'docs/guide/search.md': {
    '<!doctype html>': 'e2e/search-index.test.ts',
    'CREATE INDEX': POSTGRES,
    'npm install modernbert-webgpu-cli pg': POSTGRES,
    'pg-boss': POSTGRES,
  },
  'docs/guide/serve.md': {
    'from langchain_openai': { notRun: 'Python; tried by hand with langchain-openai 1.7.4' },
    '*': COMMANDS,
  },
  'docs/guide/start.md': { similarity: GUIDES, '*': APPS },
  'examples/extension/README.md': {
    'chromium --load-extension': { notRun: `opens a window; ${EXAMPLES} starts Chromium with the same flag` },
  },
  'examples/next/README.md': { curl: EXAMPLES },
};

/** The test that runs a block, or the reason why none does; undefined if nobody has said. */
export function testOf({ page, language, code }: Block): string | NotRun | undefined {
  const named = RUN_BY[page] ?? {};
  const text = Object.keys(named).find((text) => text === '*' || code.includes(text));
  if (text) return named[text];
  if (language === 'sh' && /^(( *(#.*|cd .*|npm .*))?\n)*$/.test(code)) return NPM;
  return (page.startsWith('docs/guide/') || page === API) && /^[tj]s$/.test(language) ? GUIDES : undefined;
}

/** For a test: the blocks that are its own. Its last `it` expects that there are none `left`. */
export function blocksFor(test: string) {
  const own = PAGES.flatMap(blocksOf).filter((block) => testOf(block) === test);
  const left = new Set(own);
  const taken = (blocks: Block[]): string[] => {
    for (const block of blocks) left.delete(block);
    return blocks.map(({ code }) => code);
  };
  return {
    /** The code of the block of a page that has the text. */
    take(page: string, text = ''): string {
      const found = own.find((block) => block.page === page && block.code.includes(text));
      if (!found)
        throw new Error(`${page} has no block with '${text}' for ${test}: see RUN_BY in tools/doc-blocks.ts.`);
      return taken([found])[0];
    },
    /** The code of those of a page that were not taken yet. */
    takeRest: (page: string): string[] => taken([...left].filter((block) => block.page === page)),
    left: (): Block[] => [...left],
  };
}
