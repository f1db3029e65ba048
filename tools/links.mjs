// Links of Markdown pages that are read in more than one place: on a repository's page, in a package, on the site.
import { posix } from 'node:path';

/**
 * Links to files that the place does not hold lead to the repository, if package.json names one, and else are only their text.
 * @param {string} text Markdown
 * @param {{ file: string, holds: (path: string) => boolean, folder: string, json: { version: string, repository?: { url: string } } }} place
 *   `file`: the page's path in the place, which is `folder` of the repository; `holds`: whether the place has such a path
 */
export const withLinksInside = (text, { file, holds, folder, json }) =>
  text.replace(/(?<!!)\[([^[\]]*)\]\((?!https?:|#)([^)#\s]+)(#[^)\s]*)?\)/g, (link, label, target, anchor = '') => {
    const path = posix.normalize(posix.join(posix.dirname(file), target)).replace(/\/$/, '');
    if (holds(path)) return link;
    const page = json.repository?.url.replace(/^git\+|\.git$/g, '');
    return page ? `[${label}](${page}/blob/v${json.version}/${posix.join(folder, path)}${anchor})` : label;
  });

/**
 * The anchor that GitHub gives a heading of this text; the site's are the same. A second heading of a text gets -1, a third -2.
 * @param {string} heading
 */
export const anchorOf = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');
