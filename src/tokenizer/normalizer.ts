import type { Json } from '../formats/json-fields';
import { type AlignedText, type Edit, edited } from './aligned-text';
import { charsmapOf } from './charsmap';
import { AFTER_8, AFTER_9 } from './later-characters';
import { compilePattern } from './pattern';
import { unitsAt } from './unicode';
import { trimSpan } from './white-space';

export type Normalizer = (text: AlignedText) => AlignedText;

/**
 * The parts of tokenizer.json's normalizer one after the other, as tokenizers/src/normalizers has them.
 */
export function createNormalizer(parts: readonly Json[]): Normalizer {
  const steps = parts.flatMap(stepsOf);
  return (text) => steps.reduce((aligned, step) => step(aligned), text);
}

/** Whatever `pattern` matches, rewritten. */
const replace =
  (pattern: RegExp, to: (match: string) => string): Normalizer =>
  (input) =>
    edited(
      input,
      Array.from(input.text.matchAll(pattern), ({ 0: match, index }) => ({
        from: index,
        to: index + match.length,
        text: to(match),
      })),
    );

const cleaned = [
  replace(new RegExp(`(?![\\t\\n\\r${AFTER_8}])[\\p{Cc}\\p{Cf}\\p{Co}\\ufffd]`, 'gu'), () => ''),
  replace(/(?! )\p{White_Space}/gu, () => ' '),
];
const spacedIdeographs = replace(
  /[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu,
  (ideograph) => ` ${ideograph} `,
);
const withoutAccents = replace(new RegExp(`(?![${AFTER_8}])[\\p{Mn}\\u1734\\u{1171e}]`, 'gu'), () => '');
/** A character at a time: a final Σ is σ, as everywhere. */
const lowercase = replace(/[\p{Lu}\p{Lt}\p{Nl}\p{So}]/gu, (character) => character.toLowerCase());

function stepsOf(part: Json): Normalizer[] {
  switch (part.type) {
    case 'BertNormalizer':
      return [
        ...(part.clean_text ? cleaned : []),
        ...(part.handle_chinese_chars ? [spacedIdeographs] : []),
        ...((part.strip_accents ?? part.lowercase) ? [form('NFD'), withoutAccents] : []),
        ...(part.lowercase ? [lowercase] : []),
      ];
    case 'Lowercase':
      return [lowercase];
    case 'StripAccents':
      return [replace(new RegExp(`(?![${AFTER_9}])[\\p{M}\\u1cf2\\u1cf3]`, 'gu'), () => '')];
    case 'Nmt':
      return [
        replace(/(?![\0\t\n\f\r\x80-\x8e\x90-\x9e])\p{Cc}/gu, () => ''),
        replace(/[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g, () => ' '),
      ];
    case 'Replace':
      return [replace(compilePattern('normalizer', part.pattern as Json), () => part.content as string)];
    case 'Precompiled':
      return part.precompiled_charsmap ? [charsmapOf(part.precompiled_charsmap as string)] : [];
    case 'Prepend':
      return [replace(/^(?=.)/gs, () => part.prepend as string)]; // not to an empty text
    case 'Strip':
      return [
        (input) => {
          const [from, to] = trimSpan(input.text, [0, input.text.length], !!part.strip_left, !!part.strip_right);
          return edited(input, [
            { from: 0, to: from, text: '' },
            { from: to, to: input.text.length, text: '' },
          ]);
        },
      ];
    default:
      return [form(part.type as string)]; // NFC, NFD, NFKC, NFKD
  }
}

const known = new RegExp(`[^${AFTER_9}]+`, 'gu');

function form(name: string): Normalizer {
  const normalize = (text: string) => text.replace(known, (part) => part.normalize(name));
  return (input) =>
    input.text.normalize(name) === input.text ? input : edited(input, changedClusters(input.text, normalize, name));
}

const startsWithMark = /^\p{M}/u;

/**
 * The parts that a Unicode form changes. Cuts before every character that does not combine with what is before it. Marks may always combine
 * (and so may half-width kana voicing, which NFKC makes one); other characters (Hangul jamo) are tried; nothing below U+0300 does. What a
 * changed cluster begins with (a space before an accent) stays, if it does, and so does what NFD and NFKD leave where it is.
 */
function changedClusters(text: string, normalize: (text: string) => string, name: string): Edit[] {
  const edits: Edit[] = [];
  const push = (from: number, to: number): void => {
    const cluster = text.slice(from, to);
    const normalized = normalize(cluster);
    if (normalized === cluster) return;
    const characters = name.endsWith('D') ? Array.from(cluster) : [];
    const parts = characters.map(normalize);
    if (parts.join('') === normalized) {
      let at = from;
      for (const [i, character] of characters.entries()) {
        if (parts[i] !== character) edits.push({ from: at, to: at + character.length, text: parts[i] });
        at += character.length;
      }
      return;
    }
    const common = commonPrefix(cluster, normalized);
    let start = common < cluster.length ? common : 0;
    let done = start;
    // Marks that change places leave the letter before them alone, even if it had one of them, and what stands behind them.
    if (start === 0 && characters.length > 0) {
      done = commonPrefix(parts[0], normalized);
      if (done > 0) start = characters[0].length;
      edits.push({ from, to: from + start, text: normalized.slice(0, done) });
    }
    let behind = 0;
    for (const character of characters.reverse()) {
      const least = Math.min(cluster.length - start, normalized.length - done);
      if (behind + character.length > least || !normalized.endsWith(character, normalized.length - behind)) break;
      behind += character.length;
    }
    edits.push({ from: from + start, to: to - behind, text: normalized.slice(done, normalized.length - behind) });
  };
  let from = 0;
  for (let at = 0; at < text.length; at += unitsAt(text, at)) {
    const next = text.slice(at, at + unitsAt(text, at));
    const before = text.slice(from, at);
    const cuts =
      text.charCodeAt(at) < 0x300 ||
      (!startsWithMark.test(next) &&
        !startsWithMark.test(normalize(next)) &&
        normalize(before + next) === normalize(before) + normalize(next));
    if (!cuts || from === at) continue;
    push(from, at);
    from = at;
  }
  push(from, text.length);
  return edits;
}

/** UTF-16 units of the whole characters that both texts begin with. */
function commonPrefix(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a.codePointAt(length) === b.codePointAt(length)) length += unitsAt(a, length);
  return length;
}
