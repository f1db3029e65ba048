import { count } from '../numbers';
import { MOST_TOKENS } from './read';
import { about } from './sizes';

/** What was read of a text. */
export interface Extent {
  model: string;
  /** Tokens that the model reads at once. */
  limit: number;
  windows: number;
  /** Tokens that were read, and of all that can be. */
  read: number;
  tokens: number;
  /** Characters of the text, and of the part of it that can be read. */
  characters: number;
  end: number;
  /** Milliseconds that all tokens would take, if that is known. */
  time?: number;
}

/** Reading for so long needs no excuse. */
const SOON = 10_000;

/** What the reader must know of it, in sentences: what was left out and why, and where the text was divided. */
export function extentNotes({ model, limit, windows, read, tokens, characters, end, time = 0 }: Extent): string[] {
  const notes = [];
  if (read < tokens) {
    const why = time > SOON ? ` All of them would take ${about(time)} on this device.` : '';
    notes.push(
      `Only the first ${count(read)} of ${count(tokens)} tokens were read.${why} Under “Text” you can choose more.`,
    );
  }
  if (end < characters) {
    notes.push(
      `The text has ${count(characters)} characters. No more than ${count(MOST_TOKENS)} tokens can be read here, which are its first ${count(end)} characters.`,
    );
  }
  if (windows > 1) {
    notes.push(
      `${model} reads up to ${count(limit)} tokens at once: the text was read in ${count(windows)} parts that overlap.`,
    );
  }
  return notes;
}
