/** What the URL's hash says: `#search?q=whale` is the tab `search` with q = whale. */
export interface Address {
  tab: string;
  params: URLSearchParams;
}

/** A tab's state, in the URL and kept on the device: a visit whose URL says nothing of a tab finds it as it was left. */
export interface TabState {
  get(key: string): string | undefined;
  /** Writes a choice soon, without an entry in the history; undefined takes the key out. */
  set(key: string, value: string | undefined): void;
  /** As set, of what the user wrote: it is kept on the device and never in the URL. */
  keep(key: string, value: string | undefined): void;
  /** The address of this tab as it is, with what is kept under `texts` in it. */
  link(texts: string[]): string;
  /** Calls back when somebody else changed this tab's part: a link, Back and Forward, the address bar. */
  onChange(listener: () => void): void;
}

/** Milliseconds until a change is in the URL: browsers allow few of them a second. */
const REST = 300;

/** Begins the keys of what is never in the URL. */
const PRIVATE = '~';
const isShared = ([key]: [string, string]) => !key.startsWith(PRIVATE);

/** As text, the same for the same values. */
function sorted(params: URLSearchParams): string {
  const copy = new URLSearchParams(params);
  copy.sort();
  return copy.toString();
}

export function parseHash(hash: string): Address {
  const [tab, ...rest] = hash.replace(/^#/, '').split('?');
  return { tab, params: new URLSearchParams(rest.join('?')) };
}

export function formatHash({ tab, params }: Address): string {
  const query = new URLSearchParams([...params].filter(isShared)).toString();
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

/** The state of tabs on this device. Where nothing may be kept, nothing is. */
const store = {
  read(tab: string): URLSearchParams {
    try {
      return new URLSearchParams(localStorage.getItem(`modernbert-webgpu/tab/${tab}`) ?? '');
    } catch {
      return new URLSearchParams();
    }
  },
  write(tab: string, params: URLSearchParams): void {
    try {
      localStorage.setItem(`modernbert-webgpu/tab/${tab}`, params.toString());
    } catch {
      // full, or not allowed
    }
  },
};

/** `known` turns what the URL says into a tab that there is; `onTab` hears of every tab that the URL comes to name but by `go`. */
export function createHashState(known: (tab: string) => string, onTab: (tab: string) => void): HashState {
  const parts = new Map<string, URLSearchParams>();
  const listeners = new Map<string, (() => void)[]>();
  const read = (): Address => {
    const { tab, params } = parseHash(location.hash);
    return { tab: known(tab), params };
  };
  let { tab, params } = read();
  const timers = new Map<string, ReturnType<typeof setTimeout>>();

  const part = (name: string): URLSearchParams => {
    const known = parts.get(name) ?? store.read(name);
    parts.set(name, known);
    return known;
  };
  /** What the URL says of a tab, with what of its state is in no URL. */
  const take = (name: string, shared: URLSearchParams) => {
    for (const [key, value] of part(name)) if (!isShared([key, value]) && !shared.has(key)) shared.set(key, value);
    parts.set(name, shared);
  };
  if (params.size > 0) take(tab, params);
  const write = (name: string) => {
    clearTimeout(timers.get(name));
    timers.delete(name);
    store.write(name, part(name));
    if (name === tab) history.replaceState(null, '', formatHash({ tab, params: part(tab) }));
  };
  const writeAll = () => {
    for (const name of timers.keys()) write(name);
  };

  addEventListener('pagehide', writeAll);
  addEventListener('hashchange', () => {
    const found = read();
    const isOther = found.tab !== tab;
    const before = sorted(part(found.tab));
    tab = found.tab;
    take(tab, found.params);
    const isChanged = sorted(part(tab)) !== before;
    if (isOther) onTab(tab);
    if (isChanged) for (const listener of listeners.get(tab) ?? []) listener();
  });

  function set(name: string, key: string, value: string | undefined) {
    const params = part(name);
    if ((params.get(key) ?? undefined) === value) return;
    if (value === undefined) params.delete(key);
    else params.set(key, value);
    clearTimeout(timers.get(name));
    timers.set(
      name,
      setTimeout(() => write(name), REST),
    );
  }

  /** What a link brought goes before what was kept. */
  const get = (name: string, key: string) => part(name).get(key) ?? part(name).get(PRIVATE + key) ?? undefined;

  return {
    tab: () => tab,
    go(next) {
      writeAll();
      tab = next;
      history.pushState(null, '', formatHash({ tab, params: part(tab) }));
    },
    of: (name) => ({
      get: (key) => get(name, key),
      set: (key, value) => set(name, key, value),
      keep(key, value) {
        set(name, key, undefined); // that a link brought
        set(name, PRIVATE + key, value);
      },
      link(texts) {
        const params = new URLSearchParams([...part(name)].filter(isShared));
        for (const key of texts) {
          const value = get(name, key);
          if (value !== undefined) params.set(key, value);
        }
        return new URL(formatHash({ tab: name, params }), location.href).href;
      },
      onChange: (listener) => void listeners.set(name, [...(listeners.get(name) ?? []), listener]),
    }),
  };
}
