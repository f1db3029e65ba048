// What the documentation's site (site/) takes from the pages: its navigation, and whether their anchors exist.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The site's sidebar: the headings of docs/README.md with their lists, each item's link.
 * @param {string} readme
 * @returns {{ text: string, items: { text: string, link: string }[] }[]} `link`: a page's path in docs
 */
export const sidebarOf = (readme) =>
  readme
    .split(/^## /m)
    .slice(1)
    .map((part) => ({
      text: part.slice(0, part.indexOf('\n')),
      items: [...part.matchAll(/^- \[([^\]]+)\]\(([^)]+)\)/gm)].map(([, text, link]) => ({ text, link })),
    }));

/**
 * The links of built pages to anchors that their targets lack. That the targets exist, VitePress checks.
 * @param {string} folder
 * @param {string} base path at which the folder will be served
 * @returns {string[]} a line for each
 */
export const deadAnchors = (folder, base) => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => file.replaceAll('\\', '/'));
  /** @type {Map<string, string>} */
  const pages = new Map(
    files.filter((file) => file.endsWith('.html')).map((file) => [file, readFileSync(join(folder, file), 'utf8')]),
  );
  return [...pages].flatMap(([file, html]) =>
    [...html.matchAll(/<a\b[^>]*? href="([^":]*#[^"]*)"/g)].flatMap(([, link]) => {
      const { pathname, hash } = new URL(link, `http://site${base}${file}`);
      const page = decodeURI(pathname.slice(base.length)).replace(/(^|\/)$/, '$1index.html');
      return pages.get(page)?.includes(` id="${decodeURI(hash.slice(1))}"`) ? [] : [`${file}: ${page} has no ${hash}`];
    }),
  );
};
