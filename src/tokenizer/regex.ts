/** Parses the part of JavaScript's regular expressions that tokenizers' patterns are rewritten to. */

export type Regex =
  | { kind: 'character'; source: string }
  | { kind: 'sequence'; parts: Regex[] }
  | { kind: 'choice'; parts: Regex[] }
  | { kind: 'repeat'; part: Regex; min: number; max: number }
  /** What is looked for here, before or after, without being taken; nothing for ^, $ and word boundaries. */
  | { kind: 'assertion'; part?: Regex };

const GROUP = /\((?:\?(?:(<?[=!])|:|<\w+>))?(?!\?)/y;
const CHARACTER =
  /\[(?:\\[\s\S]|[^\]\\])*\]|\\(?:[pPu]\{[^}]*\}|u[\da-fA-F]{4}|x[\da-fA-F]{2}|c[A-Za-z]|[^bBk1-9])|[^[\\^$()|*+?{}]/uy;
const ANCHOR = /\\[bB]|\^|\$/y;
const QUANTIFIER = /(?:([*+?])|\{(\d+)(,)?(\d+)?\})\??/y;
/** How deep groups may be nested. */
const MOST_DEPTH = 50;

/** Undefined for syntax that it does not know. */
export function parseRegex(source: string): Regex | undefined {
  let at = 0;
  const take = (token: RegExp): RegExpExecArray | null => {
    token.lastIndex = at;
    const match = token.exec(source);
    if (match) at = token.lastIndex;
    return match;
  };

  function choice(depth: number): Regex | undefined {
    const parts: Regex[] = [];
    do {
      const part = sequence(depth);
      if (!part) return undefined;
      parts.push(part);
    } while (take(/\|/y));
    return parts.length === 1 ? parts[0] : { kind: 'choice', parts };
  }

  function sequence(depth: number): Regex | undefined {
    const parts: Regex[] = [];
    while (at < source.length && source[at] !== '|' && source[at] !== ')') {
      const part = atom(depth);
      if (!part) return undefined;
      const quantifier = take(QUANTIFIER);
      parts.push(quantifier ? { kind: 'repeat', part, ...boundsOf(quantifier) } : part);
    }
    return { kind: 'sequence', parts };
  }

  function atom(depth: number): Regex | undefined {
    const character = take(CHARACTER);
    if (character) return { kind: 'character', source: character[0] };
    if (take(ANCHOR)) return { kind: 'assertion' };
    const group = take(GROUP);
    const part = group && depth < MOST_DEPTH ? choice(depth + 1) : undefined;
    if (!group || !part || !take(/\)/y)) return undefined;
    return group[1] ? { kind: 'assertion', part } : part;
  }

  const regex = choice(0);
  return at === source.length ? regex : undefined;
}

function boundsOf([, sign, min, comma, max]: RegExpExecArray): { min: number; max: number } {
  if (sign) return { min: sign === '+' ? 1 : 0, max: sign === '?' ? 1 : Infinity };
  return { min: Number(min), max: comma ? Number(max ?? Infinity) : Number(min) };
}
