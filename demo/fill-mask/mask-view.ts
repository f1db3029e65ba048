import type { MaskResult } from '../../src/index';
import { element } from '../dom';
import { percent } from '../numbers';
import { excerpts } from './excerpts';

/** The text with the best words in place of its masks, and under it every mask's candidates, which can be put in. */
export function maskElements(
  text: string,
  masks: MaskResult[],
  onPick: (mask: MaskResult, word: string) => void,
): HTMLElement[] {
  const words = masks.map(({ candidates }) => element('mark', { className: 'tape' }, candidates[0].token.trim()));
  const sentence = excerpts(text, masks).flatMap((piece, i) => (words[i] ? [piece, words[i]] : [piece]));
  const columns = masks.map((mask, i) => {
    const title = element('h3', {}, masks.length > 1 ? `Mask ${i + 1}` : 'Candidates');
    const items = mask.candidates.map(({ token, score }) => {
      const word = token.trim() || '␣';
      const pick = element(
        'button',
        { type: 'button', title: `Put “${word}” into the text` },
        element('span', { className: 'token' }, word),
        element('span', { className: 'score' }, percent(score)),
      );
      pick.style.setProperty('--share', String(score));
      pick.addEventListener('click', () => onPick(mask, token));
      pick.addEventListener('pointerenter', () => words[i].replaceChildren(word));
      pick.addEventListener('focus', () => words[i].replaceChildren(word));
      pick.addEventListener('pointerleave', () => words[i].replaceChildren(mask.candidates[0].token.trim()));
      pick.addEventListener('blur', () => words[i].replaceChildren(mask.candidates[0].token.trim()));
      return element('li', {}, pick);
    });
    return element('section', {}, title, element('ol', { className: 'candidates' }, ...items));
  });
  const filled = element('p', { id: 'filled', className: 'filled', ariaLive: 'polite' }, ...sentence);
  return [filled, element('div', { id: 'masks', className: 'masks' }, ...columns)];
}
