import { pageText } from './page-text';
import { parseXml } from './parse-xml';
import { plainHtml } from './plain-html';

/**
 * What a reader would see of a page, as `pageText`. `isXhtml`: as XHTML, if it is well-formed, in which every element may be `<empty/>`. Throws an
 * Error in words if its elements are too deep in each other, and the reason of `signal`.
 */
export function htmlText(
  name: string,
  source: string,
  { isXhtml = false, signal }: { isXhtml?: boolean; signal?: AbortSignal } = {},
): Promise<string> {
  const page =
    (isXhtml && xhtmlPage(name, source)) || new DOMParser().parseFromString(plainHtml(name, source), 'text/html');
  return pageText(page.documentElement, signal);
}

/** Undefined if it is not well-formed or declares entities, which can stand for very long texts. */
const xhtmlPage = (name: string, source: string): Document | undefined =>
  /<!ENTITY/i.test(source) ? undefined : parseXml(plainHtml(name, source, true), 'application/xhtml+xml');
