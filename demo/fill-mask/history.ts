import { type Mode, modeOf } from './modes';

/** A text that gave results, with what it was asked. */
export interface Entry {
  mode: Mode;
  text: string;
  /** Of a comparison. */
  second?: string;
  /** As they were written. */
  targets?: string;
  /** The model's name. */
  model: string;
  /** Milliseconds since 1970. */
  time: number;
}

const MOST = 20;
/** Characters of all entries: what is kept on a device must stay small. */
const MOST_CHARACTERS = 100_000;
/** The last time that a Date can have. */
const LATEST = 8.64e15;
/** Milliseconds in which a text that grows or shrinks is taken for one that is being typed. */
const TYPING = 10_000;

const sizeOf = ({ text, second = '', targets = '' }: Entry): number => text.length + second.length + targets.length;

const isSame = (a: Entry, b: Entry): boolean =>
  a.mode === b.mode && a.text === b.text && a.second === b.second && a.targets === b.targets;

/** Whether one of two texts is the other with something put in at one place. */
function isTyped(a: string, b: string): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  let head = 0;
  while (head < short.length && short[head] === long[head]) head++;
  return long.endsWith(short.slice(head));
}

/** The entries with a new one, newest first: each text once, of a text being typed only what it has become, and no more than are kept. */
export function withEntry(entries: Entry[], entry: Entry): Entry[] {
  if (sizeOf(entry) > MOST_CHARACTERS) return entries;
  const [last, ...older] = entries;
  const isTyping =
    last?.mode === entry.mode &&
    entry.time - last.time < TYPING &&
    isTyped(last.text, entry.text) &&
    isTyped(last.second ?? '', entry.second ?? '') &&
    isTyped(last.targets ?? '', entry.targets ?? '');
  let size = 0;
  return [entry, ...(isTyping ? older : entries).filter((other) => !isSame(other, entry))]
    .slice(0, MOST)
    .filter((kept) => {
      size += sizeOf(kept);
      return size <= MOST_CHARACTERS;
    });
}

/** What was kept, as far as it can be read. */
export function parseEntries(kept: string | undefined): Entry[] {
  try {
    const found: unknown = JSON.parse(kept ?? '[]');
    if (!Array.isArray(found)) return [];
    return found
      .filter(
        (entry) => typeof entry?.text === 'string' && typeof entry.time === 'number' && Math.abs(entry.time) <= LATEST,
      )
      .filter(({ second, targets }) => [second, targets].every((text) => ['string', 'undefined'].includes(typeof text)))
      .map((entry) => ({ ...entry, mode: modeOf(entry.mode), model: String(entry.model ?? '') }));
  } catch {
    return [];
  }
}
