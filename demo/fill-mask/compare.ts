import type { Model } from '../../src/index';
import { element } from '../dom';
import { count, plural } from '../numbers';
import { bitsOf, isScored, type Likelihood, likelihoodOf, powerOfTwo } from './likelihood';
import { masksIn } from './parts';
import { type ScoredWord, type ScoreOptions, scoreWords } from './surprise';
import { colourByBits, createLegend } from './surprise-view';
import { wordDiff } from './word-diff';

const NAMES = ['first', 'second'];

/** Two texts side by side: words coloured by their surprise, those that differ marked, and which text is likelier. */
interface CompareView {
  elements: HTMLElement[];
  /** The words of each text, as far as they are scored. */
  update(scored: ScoredWord[][]): void;
}

/**
 * Scores two texts and shows how they compare, as their bits come in. Gives the words of each, and the tokens that were read.
 * @throws Error if a text is empty or has nothing but masks.
 */
export async function showComparison(
  model: Model,
  texts: string[],
  options: ScoreOptions,
  show: (elements: HTMLElement[]) => void,
): Promise<{ words: ScoredWord[][]; read: number }> {
  for (const [i, text] of texts.entries())
    if (!text.trim()) throw new Error(`The ${NAMES[i]} text is empty. Write one to compare.`);
  const { maskToken = '' } = model.info;
  const words: ScoredWord[][] = [[], []];
  let view: CompareView | undefined;
  let read = 0;
  for (const [i, text] of texts.entries()) {
    read += await scoreWords(model, text, {
      ...options,
      onWords(scored) {
        if (options.signal.aborted) return;
        if (scored.length === 0)
          throw new Error(`The ${NAMES[i]} text has masks only, which are not scored. Put words in their place.`);
        words[i] = scored;
        if (i === 0) return;
        view ??= createCompareView(texts, words, maskToken);
        show(view.elements);
        view.update(words);
      },
    });
  }
  return { words, read };
}

function createCompareView(texts: string[], all: ScoredWord[][], maskToken: string): CompareView {
  const words = all.map((scored) => scored.filter(({ isWord }) => isWord));
  const named = words.map((own, i) => own.map(({ start, end }) => texts[i].slice(start, end)));
  const isNew = wordDiff(named[0], named[1]);
  const spans = named.map((own) => own.map((word) => element('span', { className: 'word' }, word)));
  const sums = texts.map(() => element('p', { className: 'sum' }));
  const bars = texts.map(() => element('span', { className: 'bar', ariaHidden: 'true' }));
  const sections = texts.map((text, i) => {
    const line = element('p', { className: 'surprise', dir: 'auto' });
    let at = 0;
    for (const [w, { start, end }] of words[i].entries()) {
      spans[i][w].classList.toggle('differs', isNew[i][w]);
      line.append(text.slice(at, start), spans[i][w]);
      at = end;
    }
    line.append(text.slice(at));
    return element('section', { className: 'play' }, element('h4', {}, `The ${NAMES[i]}`), line, bars[i], sums[i]);
  });
  const verdict = element('h3', { className: 'verdict', ariaLive: 'polite' });
  const masks = texts.map((text) => masksIn(text, maskToken).length);
  const caution = element('p', { className: 'hint' });
  return {
    elements: [verdict, element('div', { className: 'compared' }, ...sections), caution, createLegend()],
    update(scored) {
      const sides = scored.map(likelihoodOf);
      const most = Math.max(sides[0].bits, sides[1].bits);
      for (const [i, side] of sides.entries()) {
        for (const [w, word] of words[i].entries()) if (isScored(word)) colourByBits(spans[i][w], bitsOf(word));
        bars[i].style.setProperty('--share', String(most > 0 ? side.bits / most : 0));
        sums[i].textContent = sumOf(side);
      }
      const isDone = scored.flat().every(isScored);
      verdict.textContent = isDone ? verdictOf(sides, masks) : 'Reading …';
      caution.textContent = isDone ? cautionOf(sides, masks) : '';
    },
  };
}

const sumOf = ({ bits, words, tokens, bitsPerWord, pseudoPerplexity }: Likelihood): string =>
  [
    `${bits.toFixed(1)} bits`,
    ...(words > 0 ? [`${bitsPerWord.toFixed(1)} per word (${count(words)})`] : []),
    ...(tokens > 0
      ? [`pseudo-perplexity ${count(Number(pseudoPerplexity.toPrecision(3)))} per token (${count(tokens)})`]
      : []),
  ].join(' · ');

/** Which of two texts is likelier, and by what factor. `masks`: how many each has; what they hide is in no sum. */
export function verdictOf([a, b]: Likelihood[], masks: number[]): string {
  if (masks[0] !== masks[1]) return 'Texts with different masks cannot be compared.';
  const bits = Math.abs(a.bits - b.bits);
  if (bits < 0.05) return 'Both are equally likely.';
  const winner = a.bits < b.bits ? NAMES[0] : NAMES[1];
  return `The ${winner} is ${powerOfTwo(bits)} times as likely: ${bits.toFixed(1)} bits fewer.`;
}

/** What to mind where two texts are not of one length, or have masks. */
export function cautionOf(sides: Likelihood[], masks: number[]): string {
  const [first, second] = masks.map((n) => plural(n, 'mask'));
  if (masks[0] !== masks[1])
    return `The first has ${first}, the second ${second}. Masks are not scored: put words in their place.`;
  return [lengthsOf(sides), ...(masks[0] > 0 ? ['Masks are not scored.'] : [])].filter(Boolean).join(' ');
}

function lengthsOf([a, b]: Likelihood[]): string {
  if (a.tokens === b.tokens) return '';
  const lengths = `Their lengths differ: ${count(a.tokens)} and ${count(b.tokens)} tokens.`;
  if (a.words === 0 || b.words === 0) return lengths;
  const [perWordA, perWordB] = [a.bitsPerWord, b.bitsPerWord];
  const isSame = perWordA < perWordB === a.bits < b.bits;
  const winner = perWordA < perWordB ? NAMES[0] : NAMES[1];
  return isSame
    ? `${lengths} Per word the ${winner} is likelier, too.`
    : `${lengths} Per word the ${winner} is likelier, so the sums may just tell which text is longer.`;
}
