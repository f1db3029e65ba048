import { longestAt, nodeOf, type Trie } from './trie';
import { unitsAt, wordCharacter } from './unicode';
import { isWhiteSpaceAt } from './white-space';

/** An entry of tokenizer.json's `added_tokens`. */
export interface AddedToken {
  id: number;
  content: string;
  /** Also consumes whitespace before it. */
  lstrip: boolean;
  /** Also consumes whitespace after it. */
  rstrip: boolean;
  /** Matches only between non-word characters. */
  singleWord: boolean;
  /** Matched in the normalised text instead of the original. */
  normalized: boolean;
}

/** [from, to) of a text: the letters of an added token, or text between tokens. Whitespace that a token consumes is in no section. */
export interface Section {
  from: number;
  to: number;
  token: AddedToken | undefined;
}

const isWord = new RegExp(wordCharacter, 'u');

const isWordAt = (text: string, index: number): boolean =>
  index < text.length && isWord.test(text.slice(index, index + unitsAt(text, index)));

const isWordBefore = (text: string, index: number): boolean => {
  const isPair = index > 1 && unitsAt(text, index - 2) === 2;
  return index > 0 && isWordAt(text, isPair ? index - 2 : index - 1);
};

const unitsAfter = (nodes: Trie<AddedToken>[]): string => {
  const units = nodes.flatMap(({ next }) => [...(next?.keys() ?? [])]);
  return `[${units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')}]`;
};

/**
 * Splits texts at added tokens as Hugging Face's tokenizers do (`AddedVocabulary`, tokenizers/src/tokenizer/added_vocabulary.rs): the
 * leftmost match first, and the longest of those. `written`: how a token is spelled in the texts to split.
 */
export function addedTokenSplitter(
  tokens: readonly AddedToken[],
  written: (content: string) => string,
): (text: string) => Section[] {
  const root: Trie<AddedToken> = {};
  for (const token of tokens) {
    const content = written(token.content);
    if (content !== '') nodeOf(root, content).value = token;
  }
  /** Where a token may begin, by its first two units: a look at every unit of a text would take longer. */
  const firsts = [...(root.next?.values() ?? [])];
  const begins = new RegExp(unitsAfter([root]) + (firsts.some(({ value }) => value) ? '' : unitsAfter(firsts)), 'g');

  return (text) => {
    const sections: Section[] = [];
    let done = 0;
    let at = 0;
    for (;;) {
      begins.lastIndex = at;
      at = begins.exec(text)?.index ?? text.length;
      if (at === text.length) break;
      const match = longestAt(root, text, at);
      if (match === undefined) {
        at++;
        continue;
      }
      const { value: token, end } = match;
      if (token.singleWord && (isWordBefore(text, at) || isWordAt(text, end))) {
        at = end;
        continue;
      }
      let plainEnd = at;
      while (token.lstrip && plainEnd > done && isWhiteSpaceAt(text, plainEnd - 1)) plainEnd--;
      if (plainEnd > done) sections.push({ from: done, to: plainEnd, token: undefined });
      sections.push({ from: at, to: end, token });
      done = end;
      while (token.rstrip && done < text.length && isWhiteSpaceAt(text, done)) done++;
      at = done;
    }
    if (done < text.length) sections.push({ from: done, to: text.length, token: undefined });
    return sections;
  };
}
