// Reproducible texts with a given number of tokens.
import { random } from './cases';

const SENTENCES = [
  'The ferry left the island at a quarter past six, an hour later than the timetable had promised.',
  'A search engine does not read; it compares numbers that stand for what was read before.',
  'Nobody in the valley could remember a winter in which the river had frozen twice.',
  'Heat the oil slowly, add the onions, and wait until they are soft before the spices go in.',
  'The committee adjourned without a vote, and the proposal was sent back to its authors.',
  'Light that falls on a leaf is not lost: part of it becomes sugar, and part of it warmth.',
  'She kept every letter in a tin box under the stairs, sorted by year and tied with string.',
  'Prices rose in the spring, fell in the autumn, and nobody could say what had moved them.',
  "The engine's bearings were worn, its belts were new, and it ran for another eleven years.",
  'When two triangles share an angle and the sides next to it, they are the same triangle.',
  'The train of 9:45 stops at every village, so take the one after it if you are in a hurry.',
  'Copper carries current well, aluminium less so, and glass hardly at all.',
  'His uncle had been a surveyor, and taught him to judge a distance by counting his steps.',
  'The court found that the contract was valid, but that the delay had been agreed by both sides.',
  'Bees tell each other where the flowers are by dancing on the comb in the dark of the hive.',
  'Before the bridge was built, the market on the other bank was half a day away.',
];

/** Random sentences, at least `characters` characters in total. */
export function prose(seed: number, characters: number): string {
  const next = random(seed);
  let text = '';
  while (text.length < characters) text += `${SENTENCES[Math.floor(next() * SENTENCES.length)]} `;
  return text;
}

/**
 * Prose of exactly `tokens` tokens as counted by `count`, special tokens included. If no whole word fits, it is filled up with ` the`.
 * Throws a RangeError if no text is that short.
 */
export async function textOf(
  tokens: number,
  seed: number,
  count: (text: string) => number | Promise<number>,
): Promise<string> {
  const words = prose(seed, tokens * 8).split(' ');
  let [low, high] = [0, words.length]; // the most words that fit
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((await count(words.slice(0, middle).join(' '))) <= tokens) low = middle;
    else high = middle;
  }
  let text = words.slice(0, low).join(' ');
  for (let missing = tokens - (await count(text)); missing > 0; missing = tokens - (await count(text))) {
    text += ' the'.repeat(missing);
  }
  if (text === '' || (await count(text)) !== tokens) throw new RangeError(`No text has exactly ${tokens} tokens.`);
  return text;
}
