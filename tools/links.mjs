// Links of Markdown pages that are read in more than one place: on a repository's page, in a package, on the site.
import { posix } from 'node:path';

/** A relative link, and one that stands alone in brackets. */
const LINK = /(?<!!)\[([^[\]]*)\]\((?!https?:|#)([^)#\s]+)(#[^)\s]*)?\)/g;
const IN_BRACKETS = new RegExp(` \\(${LINK.source}\\)`, 'g');

/** What is only for those who have the repository, in a page that is also in a package. */
const FOR_REPOSITORY = /<!-- Only in the repository\. -->\n[\s\S]*?<!-- Also in the package\. -->\n+/g;

/** @param {string} text Markdown */
export const withoutRepositoryParts = (text) => text.replace(FOR_REPOSITORY, '');

/**
 * Links to files that the place does not hold lead to the repository, if package.json names one, and else are only their text; one that
 * stands alone in brackets is left out.
 * @param {string} text Markdown
 * @param {{ file: string, holds: (path: string) => boolean, folder: string, json: { version: string, repository?: { url: string } } }} place
 *   `file`: the page's path in the place, which is `folder` of the repository; `holds`: whether the place has such a path
 */
export const withLinksInside = (text, { file, holds, folder, json }) => {
  const page = json.repository?.url.replace(/^git\+|\.git$/g, '');
  const pathOf = (/** @type {string} */ target) =>
    posix.normalize(posix.join(posix.dirname(file), target)).replace(/\/$/, '');
  return text
    .replace(IN_BRACKETS, (all, _label, target) => (page || holds(pathOf(target)) ? all : ''))
    .replace(LINK, (link, label, target, anchor = '') => {
      const path = pathOf(target);
      if (holds(path)) return link;
      return page ? `[${label}](${page}/blob/v${json.version}/${posix.join(folder, path)}${anchor})` : label;
    });
};

/**
 * The anchor that GitHub gives a heading of this text; the site's are the same. A second heading of a text gets -1, a third -2.
 * @param {string} heading
 */
export const anchorOf = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');
