import type { Candidate } from '../../src/index';
import { element } from '../dom';
import { percent, plural } from '../numbers';
import type { ScoredWord } from './surprise';

/** Bits from which on a word has the strongest colour. */
const MOST = 16;
/** Share of the strongest colour from which on light text reads better on it (in the dark: dark text). */
const STRONG = 0.625;

const bitsOf = ({ bits }: ScoredWord): number => bits.reduce((a, b) => a + b, 0);
const isScored = ({ bits, tokens }: ScoredWord): boolean => bits.length === tokens.length;

/** A text whose words are coloured by their surprise; one at a time is chosen, with a click or the arrow keys. */
export interface SurpriseView {
  elements: HTMLElement[];
  /** Colours the words that have their bits. */
  update(words: ScoredWord[]): void;
  /** What the model would have expected of the chosen word. */
  showCandidates(candidates: Candidate[]): void;
}

export function createSurpriseView(
  text: string,
  words: ScoredWord[],
  on: { choose(word: ScoredWord): void; pick(word: ScoredWord, token: string): void },
): SurpriseView {
  const buttons = words.map(({ start, end }) =>
    element('button', { type: 'button', className: 'word', tabIndex: -1 }, text.slice(start, end)),
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
  if (buttons[0]) buttons[0].tabIndex = 0;

  const summary = element('p', { className: 'surprise-summary' });
  const scale = element('span', { className: 'scale', ariaHidden: 'true' });
  const legend = element('p', { className: 'legend' }, '0 bits: certain', scale, `${MOST} bits or more: a surprise`);
  const detail = element('section', { className: 'word-detail', ariaLabel: 'Chosen word', ariaLive: 'polite' });
  detail.hidden = true;
  let chosen = -1;

  function choose(i: number) {
    if (i === chosen || !words[i] || !isScored(words[i])) return;
    chosen = i;
    for (const [j, button] of buttons.entries()) {
      button.tabIndex = j === i ? 0 : -1;
      button.setAttribute('aria-pressed', String(j === i));
    }
    const word = words[i];
    const bits = bitsOf(word);
    const pieces =
      word.bits.length > 1
        ? ` The model reads it as ${word.bits.length} pieces of ${word.bits.map((b) => b.toFixed(1)).join(' + ')} bits.`
        : '';
    detail.replaceChildren(
      element('h3', {}, `“${text.slice(word.start, word.end)}”: ${bits.toFixed(1)} bits`),
      element('p', { className: 'hint' }, `Probability 1 in ${oneIn(bits)}.${pieces}`),
      element('p', { className: 'hint candidates-place' }, 'Asking what would be expected here …'),
    );
    detail.hidden = false;
    on.choose(word);
  }

  line.addEventListener('click', (event) => choose(buttons.indexOf(event.target as HTMLButtonElement)));
  line.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const next = buttons[buttons.indexOf(event.target as HTMLButtonElement) + (step ?? 0)];
    if (!step || !next) return;
    event.preventDefault();
    next.focus();
    choose(buttons.indexOf(next));
  });

  return {
    elements: [line, legend, summary, detail],
    update(scored) {
      for (const [i, word] of scored.entries()) {
        if (!isScored(word)) continue;
        const bits = bitsOf(word);
        const share = Math.min(1, bits / MOST);
        buttons[i].style.setProperty('--share', String(share));
        buttons[i].classList.add('scored');
        buttons[i].classList.toggle('strong', share > STRONG);
        buttons[i].title = `${bits.toFixed(1)} bits`;
      }
      const done = scored.filter(isScored);
      const mean = done.reduce((sum, word) => sum + bitsOf(word), 0) / done.length;
      summary.textContent =
        done.length === 0
          ? ''
          : `${plural(done.length, 'word')}, ${mean.toFixed(1)} bits each on average. Choose a word to see what was expected.`;
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
          element('ul', { className: 'expected' }, ...items),
        );
    },
  };
}

function oneIn(bits: number): string {
  const n = 2 ** bits;
  return n < 10 ? n.toFixed(1) : n < 1e6 ? Math.round(n).toLocaleString('en') : n.toExponential(1);
}
