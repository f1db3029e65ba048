/**
 * JavaScript's regular expressions try one way to match after the other, and nothing can stop them. A pattern of a tokenizer.json that can
 * match a text in very many ways, as (a+)+ can, is refused. The ways are counted in the pattern's position automaton (Glushkov 1961).
 */
import { shown } from '../formats/json-fields';
import { parseRegex, type Regex } from './regex';

/** The ways are counted for texts of this many characters. */
const LENGTH = 32;
/** Two loops one after the other over the same characters have 33 ways: from each start of a match, which makes time cubic. One loop has 1. */
const MOST_WAYS = 24;
const MOST_POSITIONS = 2000;
const MOST_EDGES = 50_000;
/** Edges followed: a fraction of a second. */
const MOST_WORK = 10_000_000;
/** Texts that are followed at a time: those with the most ways. */
const BEAM = 6;

/** What is wrong with a pattern: it is not understood, too large, or can take for ever; undefined for others. */
export function whyUnsafe(source: string): string | undefined {
  const regex = parseRegex(withoutBoundaries(source));
  if (!regex) return 'its syntax is not known';
  const patterns = [regex, ...assertionsIn(regex)];
  const automata = patterns.map(automatonOf);
  const texts = automata.map((automaton) => (automaton ? explosion(automaton) : ''));
  const text = texts.find((found) => found !== undefined);
  if (text === '') return 'it is too large';
  return text === undefined ? undefined : `it can take for ever, for example on many of ${shown(text)}`;
}

/** The library writes a word boundary as a choice of assertions, and others so too; only one of the choices can hold. */
const withoutBoundaries = (source: string): string =>
  source
    .replace(/\(\?:\(\?<!(\[[^\]]*\])\)\(\?([=!])\1\)\|\(\?<=\1\)\(\?[=!]\1\)\)/g, '(?=)')
    .replaceAll('(?:(?<![\\s\\S])|(?<=\\n))', '(?=)')
    .replaceAll('(?:(?=\\n)|(?![\\s\\S]))', '(?=)');

function assertionsIn(regex: Regex): Regex[] {
  if (regex.kind === 'character') return [];
  if (regex.kind === 'assertion') return regex.part ? [regex.part, ...assertionsIn(regex.part)] : [];
  return regex.kind === 'repeat' ? assertionsIn(regex.part) : regex.parts.flatMap(assertionsIn);
}

/** Positions, each with how many ways lead to it. */
type Ways = Map<number, number>;

/** A part of the pattern: in how many ways it matches nothing, and where its matches begin and end. */
interface Fragment {
  empty: number;
  first: Ways;
  last: Ways;
  /** Positions at the end whose match stands, whatever follows. */
  ends: Set<number>;
  /** Whether an assertion can make an empty match fail. */
  mayFail: boolean;
}

interface Automaton {
  /** By position: the source of its character, and what may follow. */
  characters: string[];
  follow: Ways[];
  ends: Set<number>;
}

const add = (into: Ways, from: Ways, times: number): void => {
  for (const [position, ways] of times > 0 ? from : []) into.set(position, (into.get(position) ?? 0) + ways * times);
};
const NOTHING = (): Fragment => ({ empty: 1, first: new Map(), last: new Map(), ends: new Set(), mayFail: false });

/** Undefined if it is too large. */
function automatonOf(regex: Regex): Automaton | undefined {
  const characters: string[] = [];
  const follow: Ways[] = [];
  let edges = 0;
  const isTooLarge = () => characters.length > MOST_POSITIONS || edges > MOST_EDGES;

  function join(last: Ways, first: Ways): void {
    edges += last.size * first.size;
    if (isTooLarge()) return;
    for (const [position, ways] of last) add(follow[position], first, ways);
  }
  function concat(a: Fragment, b: Fragment): Fragment {
    join(a.last, b.first);
    add(a.first, b.first, a.empty);
    const last = new Map(b.last);
    add(last, a.last, b.empty);
    if (b.empty > 0 && !b.mayFail) for (const end of a.ends) b.ends.add(end);
    return { empty: a.empty * b.empty, first: a.first, last, ends: b.ends, mayFail: a.mayFail || b.mayFail };
  }
  function build(part: Regex): Fragment {
    if (isTooLarge()) return NOTHING();
    switch (part.kind) {
      case 'character': {
        const position = characters.push(part.source) - 1;
        follow.push(new Map());
        const only = () => new Map([[position, 1]]);
        return { empty: 0, first: only(), last: only(), ends: new Set([position]), mayFail: false };
      }
      case 'assertion':
        return { ...NOTHING(), mayFail: true };
      case 'sequence':
        return part.parts.reduce((all, next) => concat(all, build(next)), NOTHING());
      case 'choice':
        return part.parts.map(build).reduce((a, b) => {
          add(a.first, b.first, 1);
          add(a.last, b.last, 1);
          for (const end of b.ends) a.ends.add(end);
          a.empty += b.empty;
          a.mayFail ||= b.mayFail;
          return a;
        });
      case 'repeat':
        return repeat(part);
    }
  }
  /** A few copies one after the other, or a loop: of something that varies in length, also if it is limited. */
  function repeat({ part, min, max }: Extract<Regex, { kind: 'repeat' }>): Fragment {
    const fixed = lengthOf(part);
    const isShort = fixed !== undefined && (max <= 3 || (min === max && max * fixed <= 100));
    // Which of the copies match nothing makes ways of its own.
    if (max <= 1 || isShort || (max < Infinity && isEmptyable(part))) {
      let all = NOTHING();
      for (let copy = Math.min(max, LENGTH); copy > 0; copy--) {
        all = concat(build(part), all);
        if (copy > min) all = { ...all, empty: all.empty + 1 };
      }
      return all;
    }
    const body = build(part);
    join(body.last, body.first);
    // One of several that are required does not stand alone.
    const ends = min > 1 ? new Set<number>() : body.ends;
    return { ...body, ends, empty: min > 0 ? Math.min(body.empty, 1) : 1 };
  }

  const { ends } = build(regex);
  return isTooLarge() ? undefined : { characters, follow, ends };
}

/** In characters; undefined if it varies or there is a choice. */
function lengthOf(regex: Regex): number | undefined {
  if (regex.kind === 'character') return 1;
  if (regex.kind === 'assertion') return 0;
  if (regex.kind === 'choice') return undefined;
  const sum = (parts: Regex[]) =>
    parts.map(lengthOf).reduce((a, b) => (a === undefined || b === undefined ? undefined : a + b), 0);
  if (regex.kind === 'sequence') return sum(regex.parts);
  const length = lengthOf(regex.part);
  return regex.min === regex.max && length !== undefined ? length * regex.min : undefined;
}

const isEmptyable = (regex: Regex): boolean =>
  regex.kind === 'sequence'
    ? regex.parts.every(isEmptyable)
    : regex.kind === 'choice'
      ? regex.parts.some(isEmptyable)
      : regex.kind === 'assertion' || (regex.kind === 'repeat' && (regex.min === 0 || isEmptyable(regex.part)));

/** A text that can be matched in more than MOST_WAYS ways without any of them standing; '' if that takes long to find out, undefined if there is none. */
function explosion({ characters, follow, ends }: Automaton): string | undefined {
  const symbols = symbolsOf(characters);
  let work = 0;
  // What has reached an end stands, so only the ways past it count.
  const step = (ways: Ways, matched: ReadonlySet<string>): Ways => {
    const next: Ways = new Map();
    for (const [position, count] of ways) {
      work += follow[position].size + 10;
      for (const [to, times] of follow[position]) {
        if (!ends.has(to) && matched.has(characters[to])) next.set(to, (next.get(to) ?? 0) + count * times);
      }
    }
    return next;
  };
  const seen = new Set<string>();
  const isNew = (ways: Ways): boolean => {
    const key = [...ways].sort(([a], [b]) => a - b).join();
    return !seen.has(key) && seen.add(key) !== undefined;
  };
  for (let start = 0; start < characters.length; start++) {
    let texts = [{ text: '', ways: new Map([[start, 1]]) as Ways, total: 1 }].filter(({ ways }) => isNew(ways));
    for (let length = 0; length < LENGTH && texts.length > 0; length++) {
      texts = texts
        .flatMap(({ text, ways }) =>
          symbols.map(({ symbol, matched }) => {
            const next = step(ways, matched);
            return { text: text + symbol, ways: next, total: [...next.values()].reduce((a, b) => a + b, 0) };
          }),
        )
        .filter(({ ways }) => ways.size > 0 && isNew(ways))
        .sort((a, b) => b.total - a.total)
        .slice(0, BEAM);
      if (texts[0]?.total > MOST_WAYS) return texts[0].text;
      if (work > MOST_WORK) return '';
    }
  }
  return undefined;
}

/** A few characters of every kind that patterns tell apart. */
const SAMPLES = 'éÉǅʰあ漢カ한ا\u0301\u0903\u20dd٣Ⅷ²‿–«»“”€˄©\u00a0\u2028\u3000\u00ad\ue000\u0378😀𝐀';

/** Characters that some position takes, one of all that the same positions take. */
function symbolsOf(characters: readonly string[]): { symbol: string; matched: ReadonlySet<string> }[] {
  const sources = [...new Set(characters)];
  const named = [...sources.join('').matchAll(/\\(?:u\{?|x)([\da-f]+)/gi)].map(([, hex]) => Number.parseInt(hex, 16));
  const ascii = Array.from({ length: 128 }, (_, code) => code);
  const given = Array.from(SAMPLES + sources.join(''), (character) => character.codePointAt(0)!);
  const codes = new Set([...ascii, ...given, ...named].filter((code) => code <= 0x10ffff));
  const tests = sources.map((source) => new RegExp(`^${source}$`, 'u'));
  const symbols = new Map<string, { symbol: string; matched: Set<string> }>();
  for (const code of codes) {
    const symbol = String.fromCodePoint(code);
    const matched = sources.filter((_, i) => tests[i].test(symbol));
    if (matched.length > 0) symbols.set(matched.join('\n'), { symbol, matched: new Set(matched) });
  }
  return [...symbols.values()];
}
