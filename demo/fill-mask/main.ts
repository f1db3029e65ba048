import type { Model } from '../../src/index';
import type { App } from '../app';
import { NANO } from '../built-in';
import { offerComparison } from '../compare-button';
import { debounced, element, find, isAbort, savesData, showError } from '../dom';
import { createRunButton } from '../run-button';
import { statusLine } from '../status-line';
import { countTokens, createTokenCounter } from '../token-counter';
import { createEditor } from './editor';
import { maskElements } from './mask-view';
import { scoreWords } from './surprise';
import { createSurpriseView, type SurpriseView } from './surprise-view';

const CANDIDATES = 8;
/** Milliseconds of rest in typing before the model is asked. */
const REST = 250;

/** The tab that fills masks. `show`: it came into view, so its model is wanted; resolves when nothing is loading. */
export function startFillMask(panel: HTMLElement, app: App): { show(): Promise<void> } {
  const form = find<HTMLFormElement>(panel, 'form');
  const field = find<HTMLTextAreaElement>(panel, '#mask-text');
  const button = find<HTMLButtonElement>(panel, '#fill');
  const status = find(panel, '.status');
  const results = find(panel, '#mask-results');
  field.value = app.state.get('text') ?? field.value;

  const editor = createEditor(field, find<HTMLButtonElement>(panel, '#undo'));
  const picker = app.picker(find(panel, '.model-place'), {
    builtIn: [NANO],
    use: 'fill-mask',
    onChange() {
      void recount();
      if (picker.current()) update();
    },
  });
  offerComparison(find(panel, '.model-place'), app, picker, () => import('./compare-models'));
  const recount = createTokenCounter(field, find(panel, '#mask-count'), button, picker.current, () => [field.value]);
  const maskToken = () => picker.current()?.info.maskToken ?? '[MASK]';

  const mode = () => find<HTMLInputElement>(form, '[name=mode]:checked').value;
  const error = find(form, '.error');

  const run = createRunButton(form, button, { error, status }, async (signal) => {
    results.classList.add('stale');
    await picker.use(signal, async (model) => {
      const text = field.value;
      const { total, longest } = await countTokens(model, [text]);
      if (longest > model.info.maxTokens) {
        status.textContent = ''; // the counter says why
        return;
      }
      const before = performance.now();
      const read = mode() === 'fill' ? total : await surprise(model, text, signal);
      if (mode() === 'fill') show(await fill(model, text, signal));
      status.textContent = statusLine(model, performance.now() - before, read);
    });
  });

  function show(elements: HTMLElement[]) {
    results.replaceChildren(...elements);
    results.classList.remove('stale');
  }

  async function fill(model: Model, text: string, signal: AbortSignal): Promise<HTMLElement[]> {
    if (!text.includes(maskToken())) {
      return [element('p', { className: 'hint' }, `Put a ${maskToken()} into the text, and its words appear here.`)];
    }
    const masks = await model.fillMask(text, { topK: CANDIDATES, signal });
    return maskElements(text, masks, ({ start, end }, token) => editor.replace(start, end, token));
  }

  /** Colours the text's words as their bits come in. Gives the tokens that were read. */
  async function surprise(model: Model, text: string, signal: AbortSignal): Promise<number> {
    let view: SurpriseView | undefined;
    return scoreWords(model, text, {
      signal,
      onWords(words) {
        if (signal.aborted) return;
        view ??= createSurpriseView(text, words, {
          choose: ({ start, end }) => void expect(view!, `${text.slice(0, start)}${maskToken()}${text.slice(end)}`),
          pick: ({ start, end }, token) => editor.replace(start, end, token),
        });
        if (!view.elements[0].isConnected) show(view.elements);
        view.update(words);
      },
    });
  }

  let expecting = new AbortController();
  /** Shows what the model would have expected where the text now has a mask. */
  async function expect(view: SurpriseView, masked: string) {
    expecting.abort();
    expecting = new AbortController();
    const { signal } = expecting;
    try {
      await picker.use(signal, async (model) => {
        const [mask] = await model.fillMask(masked, { topK: CANDIDATES, signal });
        view.showCandidates(mask.candidates);
      });
    } catch (reason) {
      if (!isAbort(reason)) showError(error, reason);
    }
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
  const setMode = (name: string | undefined) => {
    for (const radio of form.querySelectorAll<HTMLInputElement>('[name=mode]'))
      radio.checked = radio.value === (name ?? 'fill');
  };
  form.addEventListener('change', (event) => {
    if (!(event.target as HTMLElement).matches('[name=mode]')) return;
    app.state.set('mode', mode() === 'fill' ? undefined : mode());
    update();
  });
  setMode(app.state.get('mode'));
  app.state.onChange(() => {
    setMode(app.state.get('mode'));
    editor.set(app.state.get('text') ?? field.defaultValue);
  });

  find(panel, '#insert-mask').addEventListener('click', () => editor.insert(maskToken()));
  for (const example of panel.querySelectorAll('.example')) {
    example.addEventListener('click', () => editor.set(example.textContent ?? ''));
  }

  return {
    async show() {
      if (!navigator.gpu || savesData()) return;
      // After the first paint, so that the page is there before its model.
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      await picker.load();
    },
  };
}
