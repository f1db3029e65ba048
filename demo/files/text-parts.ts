/** Characters that the text of a file may have: as many as the largest file that is read. */
const MOST = 64e6;

/** The text of a file that is made of parts, which a file may name many times over. */
export interface TextParts {
  /** Throws a RangeError in words if all are more than can be read. */
  add(text: string): void;
  /** Where the parts begin in the text. */
  starts: number[];
  /** The parts, apart by an empty line. */
  text(): string;
}

/** `most`: characters. */
export function createTextParts(name: string, most = MOST): TextParts {
  const parts: string[] = [];
  const starts: number[] = [];
  let length = 0;
  return {
    starts,
    add(text) {
      starts.push(length);
      parts.push(text);
      length += text.length + 2;
      if (length <= most + 2) return;
      throw new RangeError(
        `${name} holds more than ${(most / 1e6).toLocaleString('en')} million characters of text, the most that is read.`,
      );
    },
    text: () => parts.join('\n\n').trimEnd(),
  };
}
