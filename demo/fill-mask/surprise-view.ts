import type { Candidate } from '../../src/index';
import { element } from '../dom';
import { count, percent, plural } from '../numbers';
import { bitsOf, isScored, likelihoodOf, powerOfTwo } from './likelihood';
import { rovingFocus } from './roving';
import type { ScoredWord } from './surprise';
import './surprise.css';

/** Bits from which on a word has the strongest colour. */
const MOST = 16;
/** Share of the strongest colour from which on light text reads better on it (in the dark: dark text). */
const STRONG = 0.625;
/** Bits from which on a word is underlined, thicker with every bit. */
const UNLIKELY = 5;

/** Colours and underlines an element by its bits. */
export function colourByBits(coloured: HTMLElement, bits: number): void {
  const share = Math.min(1, bits / MOST);
  coloured.style.setProperty('--share', String(share));
  coloured.style.setProperty('--line', String(Math.max(0, Math.min(1, (bits - UNLIKELY) / (MOST - UNLIKELY)))));
  coloured.classList.add('scored');
  coloured.classList.toggle('strong', share > STRONG);
  coloured.classList.toggle('unlikely', bits >= UNLIKELY);
  coloured.title = `${bits.toFixed(1)} bits`;
}

/** What the colours say. */
export const createLegend = (): HTMLElement =>
  element(
    'p',
    { className: 'legend' },
    '0 bits: certain',
    element('span', { className: 'scale', ariaHidden: 'true' }),
    `${MOST} bits or more: a surprise`,
  );

/** A text whose words are coloured by their surprise; one at a time is chosen, with a click or the arrow keys. */
export interface SurpriseView {
  elements: HTMLElement[];
  /** Colours the words that have their bits, and sums them up. */
  update(words: ScoredWord[]): void;
  /** Chooses the least likely word, unless another was. */
  chooseLeastLikely(): void;
  /** What the model would have expected of the chosen word. */
  showCandidates(candidates: Candidate[]): void;
}

/** What there is to do with a text of so many words and masks. `isEmpty`: nothing is scored, signs neither. */
export function hintOf(words: number, masks: number, isEmpty: boolean): string {
  if (words === 0 && masks === 0) {
    return isEmpty
      ? 'Write a text, or take an example.'
      : 'There are no words here, only signs: they count in the sum.';
  }
  const ofMasks = 'Masks are not scored: put words in their place, or choose Fill masks.';
  if (words === 0) return ofMasks;
  return ['Click a word to see what was expected there.', ...(masks > 0 ? [ofMasks] : [])].join(' ');
}

/** `masks`: how many the text has. */
export function createSurpriseView(
  text: string,
  scored: ScoredWord[],
  masks: number,
  on: { choose(word: ScoredWord): void; pick(word: ScoredWord, token: string): void },
): SurpriseView {
  const words = scored.filter(({ isWord }) => isWord);
  const buttons = words.map(({ start, end }) =>
    element('button', { type: 'button', className: 'word' }, text.slice(start, end)),
  );
  const line = element('div', {
    className: 'surprise',
    role: 'group',
    ariaLabel: 'Words; arrow keys move',
    dir: 'auto',
  });
  let at = 0;
  words.forEach(({ start, end }, i) => {
    line.append(text.slice(at, start), buttons[i]);
    at = end;
  });
  line.append(text.slice(at));
  rovingFocus(line, (button) => choose(buttons.indexOf(button as HTMLButtonElement)))(0);
  line.addEventListener('click', (event) => choose(buttons.indexOf(event.target as HTMLButtonElement)));

  const hint = element('p', { className: 'hint' }, hintOf(words.length, masks, scored.length === 0));
  const summary = element('p', { className: 'surprise-summary' });
  const detail = element('section', { className: 'word-detail', ariaLabel: 'Chosen word', ariaLive: 'polite' });
  detail.hidden = true;
  let chosen = -1;
  let wanted = -1;

  function choose(i: number) {
    if (i === chosen || !words[i]) return;
    wanted = i;
    if (!isScored(words[i])) return; // once it is
    chosen = i;
    for (const [j, button] of buttons.entries()) button.setAttribute('aria-pressed', String(j === i));
    const word = words[i];
    const bits = bitsOf(word);
    const pieces =
      word.bits.length > 1
        ? ` The model reads it as ${word.bits.length} pieces of ${word.bits.map((b) => b.toFixed(1)).join(' + ')} bits.`
        : '';
    detail.replaceChildren(
      element('h3', {}, `“${text.slice(word.start, word.end)}”: ${bits.toFixed(1)} bits`),
      element('p', { className: 'hint' }, `Probability 1 in ${powerOfTwo(bits)}.${pieces}`),
      element('p', { className: 'hint candidates-place' }, 'Asking what would be expected here …'),
    );
    detail.hidden = false;
    on.choose(word);
  }

  return {
    elements: [element('div', { className: 'play' }, hint, line), summary, createLegend(), detail],
    update(scored) {
      for (const [i, word] of words.entries()) if (isScored(word)) colourByBits(buttons[i], bitsOf(word));
      choose(wanted);
      const { bits, words: n, tokens, bitsPerWord, pseudoPerplexity } = likelihoodOf(scored);
      if (tokens === 0) return;
      const isDone = scored.every(isScored);
      summary.replaceChildren(
        element('strong', {}, `${bits.toFixed(1)} bits`),
        ` ${isDone ? 'in all: probability 1 in' : 'so far: 1 in'} ${powerOfTwo(bits)}. ` +
          (n > 0 ? `${bitsPerWord.toFixed(1)} bits per word over ${plural(n, 'word')}, ` : '') +
          `pseudo-perplexity ${count(Number(pseudoPerplexity.toPrecision(3)))} over ${plural(tokens, 'token')}.`,
      );
    },
    chooseLeastLikely() {
      if (wanted >= 0) return;
      choose(words.reduce((least, word, i) => (bitsOf(word) > bitsOf(words[least]) ? i : least), 0));
    },
    showCandidates(candidates) {
      const word = words[chosen];
      const items = candidates.map(({ token, score }) => {
        const name = token.trim() || '␣';
        const pick = element(
          'button',
          { type: 'button', title: `Put “${name}” into the text` },
          `${name} ${percent(score)}`,
        );
        pick.addEventListener('click', () => on.pick(word, token));
        return element('li', {}, pick);
      });
      detail
        .querySelector('.candidates-place')
        ?.replaceWith(
          element('p', { className: 'hint' }, 'In its place the model expects:'),
          element('ul', { className: 'chips expected' }, ...items),
        );
    },
  };
}
