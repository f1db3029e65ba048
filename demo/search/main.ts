import { getDocument } from '../../cli/passages/documents';
import { indexModelOf } from '../../cli/passages/fill';
import { checkModel } from '../../cli/passages/schema';
import { type Passage, type SearchMode, search } from '../../cli/passages/search';
import type { Model } from '../../src/index';
import type { App } from '../app';
import { EMBEDDERS } from '../built-in';
import { debounced, find, isAbort, showError } from '../dom';
import { knownModels } from '../known-models';
import { duration, plural } from '../numbers';
import { openDatabase } from './database';
import { createIndexPanel } from './index-panel';
import html from './panel.html?raw';
import { passageItem, showContext } from './passages';
import './search.css';

/** Passages that are shown. */
const LIMIT = 10;
/** Milliseconds after the last key. */
const REST = 150;

/** The search tab: an index in the browser's own Postgres, and a search that answers while the user types. */
export function start(panel: HTMLElement, app: App): void {
  panel.innerHTML = html;
  const field = find<HTMLInputElement>(panel, '#query');
  const modes = [...panel.querySelectorAll<HTMLInputElement>('[name=search-mode]')];
  const status = find(panel, '#search-status');
  const errorPlace = find(panel, '#search-error');
  const list = find(panel, '#passages');
  const dialog = find<HTMLDialogElement>(panel, '#context');
  const database = openDatabase();
  const picker = app.picker(find(panel, '.model-place'), {
    builtIn: EMBEDDERS,
    suggestions: knownModels('embeddings'),
    onChange: () => {},
  });
  const index = createIndexPanel(panel, database, picker, () => {
    const made = index.model();
    if (made) picker.suggest(made.name); // vectors are compared only with those of the model that made them
    void run();
  });
  let current = new AbortController();

  const mode = () => (modes.find((radio) => radio.checked)?.value ?? 'hybrid') as SearchMode;

  async function run() {
    current.abort();
    current = new AbortController();
    const { signal } = current;
    const text = field.value.trim();
    app.state.set('q', text || undefined);
    app.state.set('mode', mode() === 'hybrid' ? undefined : mode());
    showError(errorPlace, undefined);
    if (text === '' || index.size().chunks === 0) {
      list.replaceChildren();
      status.textContent = text === '' ? '' : 'There is nothing in the index yet.';
      return;
    }
    try {
      status.textContent = 'Searching …';
      // Words need no model: they answer while it loads, or embeds passages.
      const waits = !picker.current() || index.isBusy();
      const byWords = mode() === 'words' || (mode() === 'hybrid' && waits);
      if (byWords) await answer(text, 'words', undefined, signal);
      if (mode() === 'words') return;
      const why = picker.current() ? 'passages are being embedded too' : 'the model is loading';
      if (waits) status.textContent = `${byWords ? `${status.textContent} ` : ''}Searching by meaning; ${why} …`;
      await picker.use(signal, (model) => answer(text, mode(), model, signal));
    } catch (error) {
      if (!isAbort(error)) showError(errorPlace, error);
    }
  }

  async function answer(text: string, mode: SearchMode, model: Model | undefined, signal: AbortSignal) {
    const db = await database;
    const began = performance.now();
    const embedding = model && (await embedQuery(text, model, signal));
    signal.throwIfAborted();
    const embedded = performance.now();
    // In one transaction: between its statements nothing empties the index.
    const found = await db.transaction((sql) => search(sql, { text, embedding, mode, limit: LIMIT }));
    signal.throwIfAborted(); // a later query is on its way
    const times = [
      embedding && `${duration(embedded - began)} for the query's vector`,
      `${duration(performance.now() - embedded)} for the search`,
    ];
    status.textContent = found.length
      ? `${plural(found.length, 'passage')} of ${index.size().chunks.toLocaleString('en')}: ${times.filter(Boolean).join(', ')}.`
      : nothing(mode);
    list.replaceChildren(...found.map((passage) => passageItem(passage, () => void open(passage))));
  }

  async function embedQuery(text: string, model: Model, signal: AbortSignal): Promise<Float32Array> {
    const made = index.model();
    if (made) checkModel(made, indexModelOf(picker.name(), model));
    return (await model.embed(text, { signal, kind: 'query', truncate: true })).row(0);
  }

  async function open({ document, start, end }: Passage) {
    const found = await getDocument(await database, document);
    if (found) showContext(dialog, found, start, end);
  }

  const takeState = () => {
    field.value = app.state.get('q') ?? '';
    for (const radio of modes) radio.checked = radio.value === (app.state.get('mode') ?? 'hybrid');
  };
  const runSoon = debounced(REST, () => void run());
  field.addEventListener('input', () => {
    current.abort();
    runSoon();
  });
  for (const radio of modes) radio.addEventListener('change', () => void run());
  find(panel, 'form').addEventListener('submit', (event) => {
    event.preventDefault();
    void run();
  });
  find(dialog, '#close-context').addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', () => {
    // The button that opened it may have gone, with other results.
    if (document.activeElement === document.body) field.focus();
  });
  // On a phone the keyboard takes half of the screen: the field goes to the top, and what is found stands below it.
  field.addEventListener('focus', () => {
    if (matchMedia('(max-width: 40rem)').matches) field.scrollIntoView({ block: 'start' });
  });
  app.state.onChange(() => {
    takeState();
    void run();
  });
  takeState(); // before the index is open and asks for answers
  index.ready.then(
    () => {
      field.disabled = false;
    },
    () => {}, // shown by the index
  );
}

const nothing = (mode: SearchMode): string =>
  mode === 'words' ? 'No passage has these words.' : 'No passage is embedded yet, and none has these words.';
