import type { MaskResult, Model } from '../../src/index';
import type { App } from '../app';
import { debounced, element, find } from '../dom';
import { percent } from '../numbers';
import { createRunButton } from '../run-button';
import { statusLine } from '../status-line';
import { countTokens, createTokenCounter } from '../token-counter';
import { createEditor } from './editor';
import { excerpts } from './excerpts';

const CANDIDATES = 8;
/** Milliseconds of rest in typing before the model is asked. */
const REST = 250;

/** The tab that fills masks. `show`: it came into view, so its model is wanted. */
export function startFillMask(panel: HTMLElement, app: App): { show: () => void } {
  const form = find<HTMLFormElement>(panel, 'form');
  const field = find<HTMLTextAreaElement>(panel, '#mask-text');
  const button = find<HTMLButtonElement>(panel, '#fill');
  const status = find(panel, '.status');
  const results = find(panel, '#mask-results');
  field.value = app.state.get('text') ?? field.value;

  const editor = createEditor(field, find<HTMLButtonElement>(panel, '#undo'));
  const picker = app.picker(find(panel, '.model-place'), {
    builtIn: { name: 'nano', source: './models/nano' },
    onChange() {
      void recount();
      if (picker.current()) update();
    },
  });
  const recount = createTokenCounter(field, find(panel, '#mask-count'), button, picker.current, () => [field.value]);
  const maskToken = () => picker.current()?.info.maskToken ?? '[MASK]';

  const run = createRunButton(form, button, { error: find(form, '.error'), status }, (signal) =>
    picker.use(signal, async (model) => {
      const text = field.value;
      const { total, longest } = await countTokens(model, [text]);
      if (longest > model.info.maxTokens) return; // the counter says so
      const before = performance.now();
      results.replaceChildren(...(await fill(model, text, signal)));
      status.textContent = statusLine(model, performance.now() - before, total);
    }),
  );

  async function fill(model: Model, text: string, signal: AbortSignal): Promise<HTMLElement[]> {
    if (!text.includes(maskToken())) {
      return [element('p', { className: 'hint' }, `Put a ${maskToken()} into the text, and its words appear here.`)];
    }
    const masks = await model.fillMask(text, { topK: CANDIDATES, signal });
    return maskElements(text, masks, ({ start, end }, word) => editor.replace(start, end, word));
  }

  /** The text, the mode or the model is another: what is shown is out of date. */
  const update = () => {
    if (picker.current()) run();
  };
  const updateSoon = debounced(REST, update);
  field.addEventListener('input', () => {
    app.state.set('text', field.value);
    updateSoon();
  });
  app.state.onChange(() => editor.set(app.state.get('text') ?? field.defaultValue));

  find(panel, '#insert-mask').addEventListener('click', () => editor.insert(maskToken()));
  for (const example of panel.querySelectorAll('.example')) {
    example.addEventListener('click', () => editor.set(example.textContent ?? ''));
  }

  const savesData = (navigator as { connection?: { saveData?: boolean } }).connection?.saveData;
  return {
    show() {
      // After the first paint, so that the page is there before its model.
      if (navigator.gpu && !savesData) requestAnimationFrame(() => setTimeout(picker.load));
    },
  };
}

/** The text with the best words in place of its masks, and under it every mask's candidates, which can be put in. */
function maskElements(
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
