/** What the URL's hash says: `#search?q=whale` is the tab `search` with q = whale. */
export interface Address {
  tab: string;
  params: URLSearchParams;
}

/** A tab's part of the URL. Values are texts; a long one (over 2,000 characters) stays out of the URL. */
export interface TabState {
  get(key: string): string | undefined;
  /** Writes soon, without an entry in the history; undefined takes the key out. */
  set(key: string, value: string | undefined): void;
  /** Calls back when somebody else changed this tab's part: a link, Back and Forward, the address bar. */
  onChange(listener: () => void): void;
}

/** Milliseconds until a change is in the URL: browsers allow few of them a second. */
const REST = 300;
const LONGEST = 2000;

export function parseHash(hash: string): Address {
  const [tab, ...rest] = hash.replace(/^#/, '').split('?');
  return { tab, params: new URLSearchParams(rest.join('?')) };
}

export function formatHash({ tab, params }: Address): string {
  const query = params.toString();
  return query ? `#${tab}?${query}` : `#${tab}`;
}

/** The hash as the state of all tabs: the one that is shown has its part in the URL, the others keep theirs in memory. */
export interface HashState {
  /** The tab in the URL. */
  tab(): string;
  /** Puts a tab and its part into the URL, as a new entry of the history. */
  go(tab: string): void;
  of(tab: string): TabState;
}

/** `known` turns what the URL says into a tab that there is; `onTab` hears of every tab that the URL comes to name but by `go`. */
export function createHashState(known: (tab: string) => string, onTab: (tab: string) => void): HashState {
  const parts = new Map<string, URLSearchParams>();
  const listeners = new Map<string, (() => void)[]>();
  const read = (): Address => {
    const { tab, params } = parseHash(location.hash);
    return { tab: known(tab), params };
  };
  let { tab, params } = read();
  let timer: ReturnType<typeof setTimeout> | undefined;
  parts.set(tab, params);

  const part = (name: string): URLSearchParams => {
    const known = parts.get(name) ?? new URLSearchParams();
    parts.set(name, known);
    return known;
  };
  const write = () => {
    clearTimeout(timer);
    timer = undefined;
    history.replaceState(null, '', formatHash({ tab, params: part(tab) }));
  };

  addEventListener('pagehide', () => timer !== undefined && write());
  addEventListener('hashchange', () => {
    const found = read();
    const isOther = found.tab !== tab;
    const isChanged = part(found.tab).toString() !== found.params.toString();
    tab = found.tab;
    parts.set(tab, found.params);
    if (isOther) onTab(tab);
    if (isChanged) for (const listener of listeners.get(tab) ?? []) listener();
  });

  return {
    tab: () => tab,
    go(next) {
      if (timer !== undefined) write();
      tab = next;
      history.pushState(null, '', formatHash({ tab, params: part(tab) }));
    },
    of: (name) => ({
      get: (key) => part(name).get(key) ?? undefined,
      set(key, value) {
        const before = part(name).toString();
        if (value === undefined || value.length > LONGEST) part(name).delete(key);
        else part(name).set(key, value);
        if (name !== tab || part(name).toString() === before) return;
        clearTimeout(timer);
        timer = setTimeout(write, REST);
      },
      onChange: (listener) => void listeners.set(name, [...(listeners.get(name) ?? []), listener]),
    }),
  };
}
