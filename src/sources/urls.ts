/** Addresses, and how they are shown: what may grant access (a signature, a password) stays out of messages. */

/** A URL or path for a message: without user, password, query and fragment. */
export const shownUrl = (url: string | URL): string =>
  String(url)
    .replace(/[?#].*$/s, '')
    .replace(/^([a-z][a-z\d+.-]*:[\\/]*)[^\\/]*@/i, '$1');

const cut = (text: string): string => text.replace(/\bhttps?:[^\s"'<>]+/gi, (url) => shownUrl(url));

/** An error of the platform as a cause: its texts with URLs as `shownUrl` shows them, and without properties that may hold more of them. */
export function shownError(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(cut(String(error)));
  const { name, message, stack, cause, code } = error as Error & { code?: unknown };
  const shown = new Error(cut(message || String(code ?? '')), cause === undefined ? {} : { cause: shownError(cause) });
  return Object.assign(shown, { name, stack: stack && cut(stack) });
}

/** Whether an address is on a network. Those of other schemes are of an app that brings its files along: an extension, a shell around a page. */
export const isRemote = (url: string): boolean => /^https?:/i.test(url);

/**
 * An absolute URL of a scheme that fetch may read and that has folders: http(s), or that of an app (chrome-extension://, capacitor://). A relative
 * one is resolved against the page. `what` names the value in the TypeErrors: not such a URL, or one with a password, which fetch refuses (and
 * repeats in its message).
 */
export function folderUrl(what: string, place: string): URL {
  const shown = `${what} ${JSON.stringify(shownUrl(place).slice(0, 100))}`;
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  if (!URL.canParse(place, base)) {
    throw new TypeError(`${shown} is not an absolute URL, and there is no page that it could be relative to.`);
  }
  const url = new URL(place, base);
  if (!/^(?!file|blob|data|javascript)[^:]+:\/\//.test(url.href)) {
    throw new TypeError(
      `${shown} is no folder that a page can fetch. Serve it over https or from localhost, or pass Blobs.`,
    );
  }
  if (url.username || url.password) {
    throw new TypeError(`${shown} contains a user name or password, which cannot be sent. Take them out of it.`);
  }
  return url;
}
