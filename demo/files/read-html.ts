import { checkDepth } from './html-depth';
import { pageText } from './page-text';

/**
 * What a reader would see of a page, as `pageText`. `isXhtml`: as XHTML, if it is well-formed, in which every element may be `<empty/>`. Throws an
 * Error in words if its elements are too deep in each other, and the reason of `signal`.
 */
export function htmlText(
  name: string,
  source: string,
  { isXhtml = false, signal }: { isXhtml?: boolean; signal?: AbortSignal } = {},
): Promise<string> {
  return pageText(((isXhtml && xhtmlPage(source)) || htmlPage(name, source)).documentElement, signal);
}

function htmlPage(name: string, source: string): Document {
  checkDepth(name, source);
  return new DOMParser().parseFromString(source, 'text/html');
}

/** Undefined if it is not well-formed or declares entities, which can stand for very long texts. */
function xhtmlPage(source: string): Document | undefined {
  if (/<!ENTITY/i.test(source)) return undefined;
  const page = new DOMParser().parseFromString(source, 'application/xhtml+xml');
  return page.getElementsByTagName('parsererror').length > 0 ? undefined : page;
}
