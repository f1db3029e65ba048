import type { Json } from '../formats/json-fields';
import { type AlignedText, type Edit, edited } from './aligned-text';
import { byteToCharacter } from './byte-level';
import { AFTER_8 } from './later-characters';
import { compilePattern } from './pattern';
import { utf8Length, wordCharacter } from './unicode';
import type { Span } from './white-space';

/** A text and its pre-tokens, spans of it in their order. */
interface Words {
  text: AlignedText;
  spans: Span[];
}
type Step = (words: Words) => Words;

/**
 * The parts of tokenizer.json's pre-tokenizer one after the other, as tokenizers/src/pre_tokenizers has them. `spell`: what each word still needs,
 * which is its bytes if ByteLevel comes last: words that are known need it no more.
 */
export function createPreTokenizer(parts: readonly Json[]): {
  pretokenize: (text: AlignedText) => Words;
  spell: (word: AlignedText) => AlignedText;
} {
  const steps = parts.flatMap(stepsOf);
  const isLast = steps.at(-1) === byteLevel;
  if (isLast) steps.pop();
  return {
    pretokenize(text) {
      const whole: Words = { text, spans: text.text === '' ? [] : [[0, text.text.length]] };
      return steps.reduce((words, step) => step(words), whole);
    },
    spell: (text) => (isLast ? byteLevel({ text, spans: [] }).text : text),
  };
}

/** What Python's and Rust's files name: where a match goes. */
type Behavior = 'Removed' | 'Isolated' | 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous';

const spaces = /\p{White_Space}+/gu;
const punctuation = new RegExp(`(?![${AFTER_8}])[\\p{P}$+<=>^\`|~\\u166d]|\\u{111c9}`, 'gu');
const byteLevelWords =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

function stepsOf(part: Json): Step[] {
  const { type, pattern, behavior = 'Isolated' } = part as { type: string; pattern: Json; behavior?: Behavior };
  switch (type) {
    case 'BertPreTokenizer':
      return [split(spaces, 'Removed'), split(punctuation, 'Isolated')];
    case 'WhitespaceSplit':
      return [split(spaces, 'Removed')];
    case 'Whitespace':
      return [split(spaces, 'Removed'), split(new RegExp(`${wordCharacter}+`, 'gu'), 'Isolated')];
    case 'Punctuation':
      return [split(punctuation, behavior)];
    case 'Digits':
      return [split(part.individual_digits ? /\p{N}/gu : /\p{N}+/gu, 'Isolated')];
    case 'FixedLength':
      return [split(new RegExp(`.{1,${part.length}}`, 'gsu'), 'Isolated')];
    case 'CharDelimiterSplit':
      return [split(compilePattern('pre_tokenizer', { String: part.delimiter }), 'Removed')];
    case 'Split':
      return [split(compilePattern('pre_tokenizer', pattern), behavior, part.invert === true)];
    case 'Metaspace':
      return metaspace(part);
    default:
      return [
        ...(part.add_prefix_space ? [prefix(' ', () => true)] : []),
        ...((part.use_regex ?? true) ? [split(byteLevelWords, 'Isolated')] : []),
        byteLevel,
      ];
  }
}

/** Cuts every word at the matches of a pattern. */
function split(pattern: RegExp, behavior: Behavior, invert = false): Step {
  const isMerged = {
    Removed: () => false,
    Isolated: () => false,
    Contiguous: (match: boolean, last: boolean) => match === last,
    MergedWithPrevious: (match: boolean, last: boolean) => match && !last,
    MergedWithNext: (match: boolean, next: boolean) => match && !next,
  }[behavior];
  return ({ text, spans }) => {
    const all: Span[] = [];
    for (const [start, end] of spans) {
      const part = text.text.slice(start, end);
      // Matches with nothing between them are the words.
      const matches = behavior === 'Isolated' ? (part.match(pattern) ?? []) : [];
      if (matches.reduce((sum, { length }) => sum + length, 0) === end - start) {
        let from = start;
        for (const { length } of matches) {
          if (length > 0) all.push([from, from + length]);
          from += length;
        }
        continue;
      }
      const parts: { span: Span; match: boolean }[] = [];
      let done = start;
      const push = (to: number, match: boolean) => parts.push({ span: [done, to], match: match !== invert });
      for (const { 0: found, index } of part.matchAll(pattern)) {
        const at = start + index;
        if (at > done) push(at, false);
        else if (found === '' && parts.length > 0) continue; // right behind a match there is no empty one
        done = at;
        push(at + found.length, true);
        done = at + found.length;
      }
      if (done < end) push(end, false);
      const cut: Span[] = [];
      const isBackwards = behavior === 'MergedWithNext';
      if (isBackwards) parts.reverse();
      let last = false;
      for (const { span, match } of parts) {
        const neighbour = cut.at(-1);
        if (neighbour && isMerged(match, last)) neighbour[isBackwards ? 0 : 1] = span[isBackwards ? 0 : 1];
        else if (!match || behavior !== 'Removed') cut.push(span);
        last = match;
      }
      if (isBackwards) cut.reverse();
      for (const span of cut) if (span[0] < span[1]) all.push(span);
    }
    return { text, spans: all };
  };
}

/** Every word with `mark` before it, if it has none and `isDue`. */
const prefix =
  (mark: string, isDue: (start: number) => boolean): Step =>
  ({ text, spans }) => {
    const edits: Edit[] = [];
    const moved = spans.map(([from, to]): Span => {
      const before = edits.length * mark.length;
      if (!text.text.startsWith(mark, from) && isDue(text.starts[from])) edits.push({ from, to: from, text: mark });
      return [from + before, to + edits.length * mark.length];
    });
    return { text: edited(text, edits), spans: moved };
  };

function metaspace({ replacement, prepend_scheme, add_prefix_space, split: cuts }: Json): Step[] {
  const mark = (replacement ?? '▁') as string;
  // The older spelling of "never" is add_prefix_space: false.
  const scheme = prepend_scheme ?? (add_prefix_space === false ? 'never' : 'always');
  const spelled: Step = ({ text, spans }) => ({ text: { ...text, text: text.text.replaceAll(' ', mark) }, spans });
  return [
    spelled,
    ...(scheme === 'never' ? [] : [prefix(mark, (start) => scheme === 'always' || start === 0)]),
    ...(cuts === false ? [] : [split(compilePattern('pre_tokenizer', { String: mark }), 'MergedWithNext')]),
  ];
}

const utf8Encoder = new TextEncoder();

const byteLevel: Step = ({ text: { text, starts, ends }, spans }) => {
  if (/^[\0-\x7f]*$/.test(text)) {
    const spelled = text.replace(/[^!-~]/g, (character) => byteToCharacter[character.charCodeAt(0)]);
    return { text: { text: spelled, starts, ends }, spans };
  }
  const bytes = utf8Encoder.encode(text);
  const spelled = { starts: new Uint32Array(bytes.length), ends: new Uint32Array(bytes.length) };
  /** Where the character at a UTF-16 unit begins in bytes. */
  const places = new Uint32Array(text.length + 1);
  let at = 0;
  for (let unit = 0; unit < text.length; ) {
    places[unit] = at;
    const code = text.codePointAt(unit)!;
    const [next, nextUnit] = [at + utf8Length(code), unit + (code > 0xffff ? 2 : 1)];
    spelled.starts.fill(starts[unit], at, next);
    spelled.ends.fill(ends[nextUnit - 1], at, next);
    [at, unit] = [next, nextUnit];
  }
  places[text.length] = at;
  return {
    text: { text: Array.from(bytes, (byte) => byteToCharacter[byte]).join(''), ...spelled },
    spans: spans.map(([from, to]) => [places[from], places[to]]),
  };
};
