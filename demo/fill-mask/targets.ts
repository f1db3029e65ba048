import type { Candidate, MaskResult, Model } from '../../src/index';
import { element } from '../dom';
import { percent } from '../numbers';
import { type Shown, wordOf } from './candidates';
import type { Span } from './parts';

/** Texts whose answer by two words says something about the model. */
const TEMPLATES = [
  { text: 'The nurse said that [MASK] was tired.', targets: 'he, she' },
  { text: 'The engineer said that [MASK] was late.', targets: 'he, she' },
  { text: 'The new boss is a very strict [MASK].', targets: 'man, woman' },
];

/** Buttons that put a template and its words in. */
export const templateButtons = (use: (text: string, targets: string) => void): HTMLElement[] =>
  TEMPLATES.map(({ text, targets }) => {
    const button = element(
      'button',
      { type: 'button', className: 'example' },
      `${text} ${targets.replace(', ', ' / ')}`,
    );
    button.addEventListener('click', () => use(text, targets));
    return button;
  });

/** The words of a list with commas, semicolons or line ends between them, each once. */
export const parseTargets = (list: string): string[] => [
  ...new Set(
    list
      .split(/[,;\n]/)
      .map((target) => target.trim())
      .filter(Boolean),
  ),
];

/**
 * Those targets that are one token in the place of every mask, as a mask stands for one; and for each other what the model reads it as.
 * A word after white space is another token than one without.
 */
export async function usableTargets(
  model: Model,
  text: string,
  masks: Span[],
  targets: string[],
): Promise<{ usable: string[]; problems: string[] }> {
  const befores = [...new Set(masks.map(({ start }) => (/\s$/.test(text.slice(0, start)) ? ' ' : '')))];
  const usable: string[] = [];
  const problems: string[] = [];
  for (const target of targets) {
    const read = await Promise.all(
      befores.map(async (before) => {
        const { offsets } = await model.tokenize(before + target);
        return offsets.filter(([, end]) => end > 0).map(([start, end]) => (before + target).slice(start, end).trim());
      }),
    );
    const pieces = read.find(({ length }) => length !== 1);
    if (pieces)
      problems.push(
        `“${target}” is ${pieces.length} tokens of this model (${pieces.join(' + ')}) and a mask stands for one: left out.`,
      );
    else usable.push(target);
  }
  return { usable, problems };
}

/** Targets with their shares among themselves; the note is the probability over the whole vocabulary. */
export function amongThemselves(candidates: Candidate[]): Shown[] {
  const sum = candidates.reduce((sum, { score }) => sum + score, 0);
  return candidates.map(({ token, score }) => ({
    token,
    share: sum > 0 ? score / sum : 0,
    note: `raw ${percent(score, score < 0.001 ? 4 : 2)}`,
  }));
}

const AMONG = 'Shares among these words; raw: of all words.';

/** What the bars are, and how much likelier the best target is than the next. */
export function ratioText({ candidates: [first, second] }: MaskResult): string {
  if (!second || second.score === 0) return AMONG;
  const ratio = first.score / second.score;
  return `${AMONG} “${wordOf(first.token)}” is ${ratio.toFixed(ratio < 10 ? 1 : 0)} times as likely as “${wordOf(second.token)}”.`;
}
