import type { EmbedOptions, Kind } from '../api/embeddings';
import { wrongChoice } from '../api/errors';
import type { OptionNames } from '../api/options';
import type { Parts } from './common';

export type PromptOptions = Pick<EmbedOptions, 'prompt' | 'promptName' | 'kind'>;

export const PROMPT_OPTIONS: OptionNames<Omit<PromptOptions, 'kind'>> = { prompt: true, promptName: true };

const KINDS: Kind[] = ['query', 'document'];

/** Throws a RangeError for anything but a kind or undefined. */
export function checkKind(kind: Kind | undefined): void {
  if (kind !== undefined && !KINDS.includes(kind)) throw wrongChoice('kind', KINDS, kind);
}

/**
 * What is put before a text. Throws a RangeError for a prompt that the checkpoint does not have. With a kind it is the prompt for that
 * (prompt-names.ts) or none, as in sentence-transformers since 5.0, whatever the default prompt is. Prompts called query and document exist, and are
 * empty if the files do not say (base/model.py).
 */
export function promptOf({ prompt, promptName, kind }: PromptOptions, { sentence, info }: Parts): string {
  const { prompts, default_prompt_name } = sentence;
  if (prompt !== undefined) return prompt;
  const name = promptName ?? (kind ? info.promptNames[kind] : default_prompt_name);
  if (name === undefined) return '';
  if (Object.hasOwn(prompts, name)) return prompts[name];
  if (KINDS.some((kind) => kind === name)) return '';
  const known = Object.keys(prompts);
  throw new RangeError(
    `This checkpoint has no prompt '${name}'; ${known.length > 0 ? `it has ${known.join(', ')}` : 'it has none'}. Pass its text as prompt.`,
  );
}

/** What Python's str.strip removes: JavaScript's trim knows other characters (U+FEFF), and not all of these (U+001C to U+001F, U+0085). */
const SPACE = '[\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]*';
const [START, END] = [new RegExp(`^${SPACE}`), new RegExp(`${SPACE}$`)];

/** A text with its prompt as the model reads it. Its UTF-16 offset `shift` is the start of the caller's text; negative if that was cut. */
export function prompted(text: string, prompt: string, strips: boolean): { text: string; shift: number } {
  const whole = prompt + text;
  if (!strips) return { text: whole, shift: prompt.length };
  const start = START.exec(whole)![0].length;
  return { text: whole.slice(start).replace(END, ''), shift: prompt.length - start };
}

/** Offsets in a text with its prompt as offsets in the caller's text; what lies in the prompt has [0, 0], as special tokens have. */
export const withoutPrompt = (offsets: [number, number][], shift: number): [number, number][] =>
  shift === 0
    ? offsets
    : offsets.map(([start, end]) => (end > Math.max(shift, 0) ? [Math.max(start - shift, 0), end - shift] : [0, 0]));
