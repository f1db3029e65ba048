import type { MaskResult, Model } from '../../src/index';
import type { App } from '../app';
import { debounced, element, find, isAbort, loadWhenOpened, savesData, showError } from '../dom';
import { NANO } from '../models/built-in';
import { offerComparison } from '../models/compare-button';
import { createRunButton } from '../run-button';
import { statusLine } from '../status-line';
import { createTakeAway } from '../take-away/take-away';
import { countTokens, createTokenCounter } from '../token-counter';
import { CANDIDATES } from './candidates';
import { createEditor, filledText } from './editor';
import { fill } from './fill-mode';
import { createFillView } from './fill-view';
import { startHistory } from './history-part';
import { FILE_NAMES, type Mode, modeOf } from './modes';
import type { Result } from './take-away';

/** Milliseconds of rest in typing before the model is asked. */
const REST = 250;
/** Milliseconds of work before its progress is shown. */
const LONG = 600;
/** What is compared at first. */
const COMPARED = 'The capital of France is Paris.';
/** Mask tokens that models have. */
const MASK_TOKENS = ['[MASK]', '<mask>'];

/** The tab that fills masks. `show`: it came into view, so its model is wanted; resolves when nothing is loading. */
export function startFillMask(panel: HTMLElement, app: App): { show(): Promise<void> } {
  const form = find<HTMLFormElement>(panel, 'form');
  const field = find<HTMLTextAreaElement>(panel, '#mask-text');
  const second = find<HTMLTextAreaElement>(panel, '#second-text');
  const targets = find<HTMLInputElement>(panel, '#targets');
  const onlyWords = find<HTMLDetailsElement>(panel, '#only-words');
  const button = find<HTMLButtonElement>(panel, '#fill');
  const status = find(panel, '.status');
  const error = find(form, '.error');
  const results = find(panel, '#mask-results');
  const fields = { text: field, second, targets };

  const mode = (): Mode => modeOf(find<HTMLInputElement>(form, '[name=mode]:checked').value);
  const showTargets = () => {
    const summary = find(onlyWords, 'summary');
    summary.textContent = targets.value.trim() ? `Only these words: ${targets.value.trim()}` : 'Only these words';
    results.dataset.kind = mode() === 'fill' && targets.value.trim() ? 'targets' : mode();
  };
  const setMode = (to: Mode) => {
    find<HTMLInputElement>(form, `[name=mode][value=${to}]`).checked = true;
    for (const part of panel.querySelectorAll<HTMLElement>('[data-mode]')) part.hidden = part.dataset.mode !== to;
    const label = find(panel, '[for=mask-text]');
    label.textContent = to === 'compare' ? 'First text' : 'Text';
    label.classList.toggle('visually-hidden', to !== 'compare');
    showTargets();
  };
  const readFields = () => {
    for (const [key, own] of Object.entries(fields)) own.value = app.state.get(key) ?? own.defaultValue;
  };
  readFields();
  setMode(modeOf(app.state.get('mode')));
  if (targets.value) onlyWords.open = true;

  const editor = createEditor([field, second, targets], find<HTMLButtonElement>(panel, '#undo'));
  const picker = app.picker(find(panel, '.model-place'), {
    builtIn: [NANO],
    use: 'fill-mask',
    onChange() {
      void recount();
      if (!picker.current()) return;
      useMaskToken();
      update();
    },
  });
  offerComparison(find(panel, '.model-place'), app, picker, () => import('./compare-models'));
  const texts = () => (mode() === 'compare' ? [field.value, second.value] : [field.value]);
  const maskToken = () => picker.current()?.info.maskToken ?? MASK_TOKENS[0];

  const view = createFillView({
    replace: ({ start, end }, token) => editor.replace(start, end, token),
    fillAll: (fillings) => editor.set([filledText(field.value, fillings)]),
  });
  /** What is asked now. An answer to something else comes too late, and is not shown. */
  const question = () => [mode(), ...texts(), mode() === 'fill' ? targets.value : ''].join('\n');
  const show = (elements: HTMLElement[], asked: string) => {
    if (asked !== question()) return;
    if (elements[0] !== results.firstChild) results.replaceChildren(...elements);
    results.classList.remove('stale');
  };
  const showText = () => {
    results.classList.add('stale');
    if (mode() !== 'fill') return;
    view.setText(field.value, maskToken());
    if (!view.elements[0].isConnected) results.replaceChildren(...view.elements);
  };

  let shown: Result | undefined;
  const takeAway = createTakeAway(find(form, '.take-away'), app.state, {
    async code() {
      const { fillCode, scoreCode } = await import('./take-away');
      if (mode() !== 'fill') return scoreCode(picker.choice(), texts());
      const { parseTargets } = await import('./targets');
      return fillCode(picker.choice(), field.value, CANDIDATES, parseTargets(targets.value));
    },
    exports() {
      const result = shown;
      if (!result) return [];
      const name = FILE_NAMES[result.mode];
      return [
        { label: 'JSON', name: `${name}.json`, make: async () => (await import('./take-away')).jsonBlob(result) },
        { label: 'CSV', name: `${name}.csv`, make: async () => (await import('./take-away')).csvBlob(result) },
      ];
    },
    texts: ['text', 'second', 'targets'],
  });

  const record = startHistory(find<HTMLDetailsElement>(panel, '#mask-history'), app.state, (entry) => {
    const before = mode();
    const restored = [
      withOwnMasks(entry.text),
      withOwnMasks(entry.second),
      entry.mode === 'fill' ? (entry.targets ?? '') : undefined,
    ];
    choose(entry.mode);
    editor.set(restored, () => choose(before));
    if (entry.targets) onlyWords.open = true;
    update();
  });

  const runButton = createRunButton(form, button, { error, status }, async (signal, progress) => {
    results.classList.add('stale');
    shown = undefined; // what stands there answers something else
    await picker
      .use(signal, async (model) => {
        const [asked, own, to] = [question(), texts(), mode()];
        const { total, longest } = await countTokens(model, own);
        signal.throwIfAborted();
        if (longest > model.info.maxTokens) {
          status.textContent = ''; // the counter says why
          return;
        }
        const before = performance.now();
        const onProgress = (done: number, total: number) => {
          if (performance.now() - before > LONG)
            progress.show({ what: 'Hiding each word', done, total, unit: 'token' });
        };
        const read = await work[to](model, own, total, { asked, signal, onProgress });
        status.textContent = read > 0 ? statusLine(model, performance.now() - before, read) : '';
      })
      .finally(takeAway.update);
  });
  const recount = createTokenCounter(field, find(panel, '#mask-count'), runButton.block, picker.current, texts);

  type Work = (
    model: Model,
    texts: string[],
    total: number,
    options: { asked: string; signal: AbortSignal; onProgress(done: number, total: number): void },
  ) => Promise<number>;

  /** Each shows results and gives the tokens that were read. */
  const work: Record<Mode, Work> = {
    async fill(model, [text], total, { asked, signal }) {
      showText();
      const note = (said: string) => {
        find(panel, '#targets-note').textContent = said;
      };
      const isCurrent = () => asked === question();
      const masks = await fill(model, text, targets.value, view, { signal, isCurrent, note });
      if (masks) {
        shown = { mode: 'fill', text, masks };
        record({ mode: 'fill', text, targets: targets.value.trim() || undefined, model: picker.name() });
      }
      show(view.elements, asked);
      return masks ? total : 0;
    },
    async surprise(model, [text], _, options) {
      const { showSurprise } = await import('./surprise-mode');
      const replace = ({ start, end }: { start: number; end: number }, token: string) => {
        // The word's place is in the text that was read.
        if (field.value === text) editor.replace(start, end, token);
        else update();
      };
      const on = { show: (elements: HTMLElement[]) => show(elements, options.asked), expect, replace };
      const { words, read } = await showSurprise(model, text, options, on);
      shown = { mode: 'surprise', texts: [text], words: [words] };
      if (words.length > 0) record({ mode: 'surprise', text, model: picker.name() });
      return read;
    },
    async compare(model, both, _, options) {
      const { showComparison } = await import('./compare');
      const { words, read } = await showComparison(model, both, options, (elements) => show(elements, options.asked));
      shown = { mode: 'compare', texts: both, words };
      record({ mode: 'compare', text: both[0], second: both[1], model: picker.name() });
      return read;
    },
  };

  let expecting = new AbortController();
  /** What the model would have expected under one of a text's masks, counted from 0; undefined if it was not asked to the end. */
  async function expect(masked: string, mask: number): Promise<MaskResult | undefined> {
    expecting.abort();
    expecting = new AbortController();
    const { signal } = expecting;
    let expected: MaskResult | undefined;
    try {
      await picker.use(signal, async (model) => {
        expected = (await model.fillMask(masked, { topK: CANDIDATES, signal }))[mask];
      });
    } catch (reason) {
      if (!isAbort(reason)) showError(error, reason);
    }
    return expected;
  }

  /** A text in which another model's masks are this one's, unless it has some. */
  function withOwnMasks<T extends string | undefined>(text: T): T | string {
    const own = maskToken();
    const other = MASK_TOKENS.find((token) => token !== own && text?.includes(token));
    return text && other && !text.includes(own) ? text.replaceAll(other, own) : text;
  }

  function useMaskToken() {
    find(panel, '#insert-mask').textContent = `Insert ${maskToken()}`;
    editor.set([field, second].map(({ value }) => withOwnMasks(value)));
  }

  /** The text, the mode or the model is another: what is shown is out of date. */
  const update = () => {
    if (picker.current()) runButton.start();
  };
  const updateSoon = debounced(REST, update);
  for (const [key, own] of Object.entries(fields)) {
    own.addEventListener('input', () => {
      app.state.keep(key, own.value === own.defaultValue ? undefined : own.value);
      if (own === second) void recount();
      if (own === targets) showTargets();
      showText();
      updateSoon();
    });
  }
  targets.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault(); // would start or stop
    update();
  });

  /** Another mode. `isByHand`: its user asked for it and for nothing else; otherwise texts come with it. */
  function choose(to: Mode, isByHand = false) {
    const before = modeOf(app.state.get('mode'));
    if (to === mode() && to === before) return;
    setMode(to);
    app.state.set('mode', to === 'fill' ? undefined : to);
    results.replaceChildren();
    shown = undefined;
    // A mask has no likelihood; the text of the first visit gets its word.
    if (isByHand && to === 'compare' && field.value === field.defaultValue)
      editor.set([COMPARED], () => choose(before));
    showText();
    void recount();
    takeAway.update();
    if (isByHand) update();
    else updateSoon(); // once, as the texts change with the mode
  }
  form.addEventListener('change', (event) => {
    if ((event.target as HTMLElement).matches('[name=mode]')) choose(mode(), true);
  });
  app.state.onChange(() => {
    choose(modeOf(app.state.get('mode')));
    editor.set(Object.entries(fields).map(([key, own]) => withOwnMasks(app.state.get(key) ?? own.defaultValue)));
  });

  find(panel, '#insert-mask').addEventListener('click', () => editor.insert(maskToken()));
  const useExample = (...texts: (string | undefined)[]) => editor.set(texts.map(withOwnMasks));
  for (const example of panel.querySelectorAll<HTMLElement>('.example')) {
    const { text = example.textContent?.trim(), second } = example.dataset;
    example.addEventListener('click', () => useExample(text, second));
  }
  loadWhenOpened(onlyWords, async () => {
    const { templateButtons } = await import('./targets');
    find(panel, '#templates').append(
      element('span', { className: 'hint' }, 'For example:'),
      ...templateButtons((text, list) => useExample(text, undefined, list)),
    );
  });

  showText();
  return {
    async show() {
      if (!navigator.gpu || savesData()) return;
      // After the first paint, so that the page is there before its model.
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      await picker.load();
    },
  };
}
