// The documentation as a site: the pages of docs/, which stay right as plain Markdown, with the list of docs/README.md as navigation.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { pageLicences } from '../../tools/licences.mjs';
import { anchorOf, withLinksInside } from '../../tools/links.mjs';
import { deadAnchors, sidebarOf } from '../../tools/site.mjs';

const project = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const read = (path) => readFileSync(project(path), 'utf8');
const json = JSON.parse(read('package.json'));

/** The demo's. */
const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect x='2' y='10' width='28' height='12' rx='2' fill='%23e9c25a'/%3E%3C/svg%3E";

/** @param md the reader of Markdown */
const addRules = (md) => {
  // Links to files outside of docs. One to a page that docs lacks stays as it is, and fails the build.
  const holds = (path) => path.startsWith('docs/');
  md.core.ruler.before('normalize', 'links-inside', (state) => {
    state.src = withLinksInside(state.src, { file: `docs/${state.env.relativePath}`, holds, folder: '', json });
  });
  // A header cell without a text is none to a screen reader.
  md.core.ruler.push('empty-headers', ({ tokens }) => {
    for (const [i, { type, content }] of tokens.entries()) {
      const isEmpty = type === 'inline' && content === '' && tokens[i - 1].type === 'th_open';
      if (isEmpty) tokens[i - 1].tag = tokens[i + 1].tag = 'td';
    }
  });
};

/** Pages are rendered by modules in this folder, which find Vue as it is; Vite would look for it beside the pages. */
const vueOfSite = {
  name: 'vue-of-site',
  enforce: 'pre',
  resolveId: (id, _importer, { ssr }) => (ssr && /^vue(\/|$)/.test(id) ? { id, external: true } : undefined),
};

/** @type {import('vitepress').UserConfig} */
export default {
  title: json.name,
  description: json.description,
  lang: 'en',
  head: [['link', { rel: 'icon', href: ICON }]],
  srcDir: '../docs',
  outDir: '../dist/site',
  cacheDir: '../build/site',
  rewrites: { 'README.md': 'index.md' },
  markdown: {
    anchor: { slugify: anchorOf },
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config: addRules,
  },
  themeConfig: {
    sidebar: sidebarOf(read('docs/README.md')),
    outline: [2, 3],
    search: { provider: 'local' },
  },
  vite: {
    plugins: [vueOfSite, pageLicences().write],
    // The theme imports the style sheet of a search service, and needs three lines of it, which ours has.
    resolve: { alias: { '@docsearch/css': project('site/.vitepress/theme/style.css') } },
  },
  buildEnd: ({ outDir, site }) => {
    const dead = deadAnchors(outDir, site.base);
    if (dead.length > 0) throw new Error(`Links to anchors that do not exist:\n${dead.join('\n')}`);
  },
};
