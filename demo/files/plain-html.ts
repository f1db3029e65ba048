/** What the parser of HTML takes a long time for: elements in each other, quadratically. Pages have a few dozen. */
const DEEPEST = 2000;

const words = (text: string) => new Set(text.split(' '));
/** Elements whose contents are characters, as they are, up to their end tag. The contents of the first two are dropped. */
const DROPPED = words('script style');
const RAW = words('script style textarea title xmp iframe noembed noframes');
/** How text looks. The parser repeats those that are open in every later paragraph. */
const LOOKS = words('a b big code em font i nobr s small strike strong tt u');
/** Elements that have no end tag or may leave it out: they do not come to be in each other by themselves. */
const SINGLE = words(
  'area base basefont bgsound br col embed frame hr img input link meta param source track wbr html head body p li dt dd td th tr tbody thead tfoot colgroup option optgroup rp rt',
);
/** Beginnings of comments, CDATA sections and tags. */
const MARKUP = /<(?:!--|!\[CDATA\[|(\/?)([a-z][^\s/>]*))/gi;
const NOTHING = '<!---->';

/**
 * A page's source without what its text does not need: attributes but the declarations of namespaces, scripts, styles, comments and, unless it is XHTML,
 * elements that only change how text looks. Of styles in attributes and elements the page's content security policy would complain in the console.
 * Throws a RangeError in words if elements are deeper in each other than can be read.
 */
export function plainHtml(name: string, source: string, isXhtml = false): string {
  const out: string[] = [];
  const open = openElements(name);
  let at = 0;
  /** The rest of the source if there is no `text`, as in the parser. */
  const after = (text: string, from: number) => {
    const found = source.indexOf(text, from);
    return found < 0 ? source.length : found + text.length;
  };
  for (;;) {
    MARKUP.lastIndex = at;
    const match = MARKUP.exec(source);
    if (!match) break;
    out.push(source.slice(at, match.index));
    const inner = match.index + match[0].length;
    if (match[0] === '<!--') {
      // HTML's `<!-->` and `<!--->` are whole.
      at = /^-?>/.test(source.slice(inner, inner + 2)) ? after('>', inner) : after('-->', inner);
      out.push(NOTHING);
      continue;
    }
    if (match[2] === undefined) {
      at = after(isXhtml ? ']]>' : '>', inner);
      out.push(isXhtml ? source.slice(match.index, at) : NOTHING);
      continue;
    }
    const [, slash, written] = match;
    const local = written.toLowerCase();
    at = tagEnd(source, inner);
    const tag = source.slice(inner, at);
    const isEmpty = /\/\s*>$/.test(tag);
    const isRaw = slash === '' && RAW.has(local) && !(isXhtml && isEmpty);
    if (isRaw) {
      const end = new RegExp(`</${local}(?=[\\s/>])`, 'gi');
      end.lastIndex = at;
      const contents = source.slice(at, end.exec(source)?.index ?? source.length);
      at += contents.length;
      if (DROPPED.has(local)) {
        out.push(NOTHING);
        at = tagEnd(source, at);
      } else out.push(`<${written}>`, contents);
    } else if (DROPPED.has(local) || (!isXhtml && LOOKS.has(local))) out.push(NOTHING);
    else {
      if (!isXhtml && !SINGLE.has(local)) open.meet(local, slash !== '', isEmpty);
      out.push(`<${slash}${written}${isXhtml ? namespaces(tag) : ''}${isEmpty ? '/' : ''}>`);
    }
  }
  out.push(source.slice(at));
  return out.join('');
}

const namespaces = (tag: string): string =>
  (tag.match(/\sxmlns(?::[\w.-]+)?\s*=\s*(?:"[^"]*"|'[^']*')/g) ?? []).join('');

/** Where a tag ends, from behind its name on. Quotation marks count after `=`. */
function tagEnd(source: string, from: number): number {
  const mark = />|=\s*(["'])/g;
  mark.lastIndex = from;
  for (let match = mark.exec(source); match; match = mark.exec(source)) {
    if (match[0] === '>') return mark.lastIndex;
    const close = source.indexOf(match[1], mark.lastIndex);
    if (close < 0) break;
    mark.lastIndex = close + 1;
  }
  return source.length;
}

/** Counts the elements that are open. */
function openElements(name: string) {
  const open: string[] = [];
  const counts = new Map<string, number>();
  const add = (local: string, by: number) => counts.set(local, (counts.get(local) ?? 0) + by);
  const isOpen = (local: string) => (counts.get(local) ?? 0) > 0;
  return {
    meet(local: string, isEnd: boolean, isEmpty: boolean) {
      if (isEnd) {
        if (!isOpen(local)) return;
        let last: string | undefined;
        do {
          last = open.pop();
          if (last !== undefined) add(last, -1);
        } while (last !== undefined && last !== local);
        return;
      }
      if (isEmpty && (isOpen('svg') || isOpen('math'))) return; // elsewhere `<div/>` begins an element
      open.push(local);
      add(local, 1);
      if (open.length > DEEPEST) {
        throw new RangeError(
          `${name} has more than ${DEEPEST.toLocaleString('en')} elements of HTML in each other, the most that is read. Open it in a browser and copy its text.`,
        );
      }
    },
  };
}
