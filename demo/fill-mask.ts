import type { MaskResult } from '../src/index';
import { element, find } from './dom';
import { excerpts } from './excerpts';
import { createModelPicker } from './model-picker';
import { percent } from './numbers';
import { createRunButton } from './run-button';
import { statusLine } from './status-line';
import { countTokens, createTokenCounter } from './token-counter';

const CANDIDATES = 8;

/** The panel that fills masks. Returns what starts loading its model. */
export function startFillMask(panel: HTMLElement): { load: () => void } {
  const form = find<HTMLFormElement>(panel, 'form');
  const field = find<HTMLTextAreaElement>(panel, '#mask-text');
  const button = find<HTMLButtonElement>(panel, '#fill');
  const status = find(panel, '.status');

  const picker = createModelPicker(find(panel, '.model-place'), { name: 'nano', source: './models/nano' }, () =>
    recount(),
  );
  const recount = createTokenCounter(field, find(panel, '#mask-count'), button, picker.current, () => [field.value]);

  find(panel, '#insert-mask').addEventListener('click', () => {
    const mask = picker.current()?.info.maskToken ?? '[MASK]';
    field.setRangeText(mask, field.selectionStart, field.selectionEnd, 'end');
    field.focus();
    recount();
  });
  for (const example of panel.querySelectorAll('.example')) {
    example.addEventListener('click', () => {
      field.value = example.textContent ?? '';
      recount();
      start();
    });
  }

  const start = createRunButton(form, button, { error: find(form, '.error'), status }, (signal) =>
    picker.use(signal, async (model) => {
      const text = field.value;
      const { total } = await countTokens(model, [text]);
      const before = performance.now();
      const masks = await model.fillMask(text, { topK: CANDIDATES, signal });
      status.textContent = statusLine(model, performance.now() - before, total);
      showMasks(panel, text, masks);
    }),
  );
  return { load: picker.load };
}

/** The text with the best words in place of its masks, and under it every mask's candidates, which can be tried out. */
function showMasks(panel: HTMLElement, text: string, masks: MaskResult[]) {
  const words = masks.map(({ candidates }) => element('mark', { className: 'tape' }, candidates[0].token.trim()));
  const sentence = excerpts(text, masks).flatMap((piece, i) => (words[i] ? [piece, words[i]] : [piece]));
  find(panel, '#filled').replaceChildren(...sentence);

  const columns = masks.map(({ candidates }, i) => {
    const title = element('h3', {}, masks.length > 1 ? `Mask ${i + 1}` : 'Candidates');
    const list = element('ol', { className: 'candidates' });
    candidates.forEach(({ token, score }, rank) => {
      const word = token.trim() || '␣';
      const pick = element(
        'button',
        { type: 'button', title: `Put “${word}” into the text` },
        element('span', { className: 'token' }, word),
        element('span', { className: 'score' }, percent(score)),
      );
      pick.style.setProperty('--share', String(score));
      pick.setAttribute('aria-pressed', String(rank === 0));
      pick.addEventListener('click', () => {
        words[i].textContent = word;
        for (const other of list.querySelectorAll('button')) other.setAttribute('aria-pressed', String(other === pick));
      });
      list.append(element('li', {}, pick));
    });
    return element('section', {}, title, list);
  });
  find(panel, '#masks').replaceChildren(...columns);
}
