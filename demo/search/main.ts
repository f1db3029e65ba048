import type { IndexSearchOptions, SearchMode } from '../../src/search';
import type { App } from '../app';
import { debounced, element, find, isAbort, savesData, showError } from '../dom';
import { EMBEDDERS } from '../models/built-in';
import { duration, plural } from '../numbers';
import '../switch.css';
import { createTakeAway } from '../take-away/take-away';
import { type CollectionName, createCollections, type Index } from './collections';
import { createIndexPanel } from './index-panel';
import { type Judged, judged } from './judge';
import { createMapPart } from './map-part';
import html from './panel.html?raw';
import { type Hit, passageItem, passageText, showContext } from './passages';
import { embeddingOf, QUESTIONS } from './questions';
import { boundsOf } from './relevance';
import { createResults, isUnlikely } from './results';
import './search.css';
import { hitFiles, INDEX_FILE, searchCode } from './take-away';

/** Passages that are shown. */
const LIMIT = 10;
/** Milliseconds after the last key. */
const REST = 150;
/** What follows on an answer by words where the model could not be loaded. */
const WITHOUT_MODEL = 'By meaning too with the model: press Enter to load it.';

/** The search tab: words answer at once, meaning once the model is there, while the user types. */
export async function start(panel: HTMLElement, app: App): Promise<void> {
  panel.innerHTML = html;
  const field = find<HTMLInputElement>(panel, '#query');
  const modes = [...panel.querySelectorAll<HTMLInputElement>('[name=search-mode]')];
  const status = find(panel, '#search-status');
  const errorPlace = find(panel, '#search-error');
  const again = find(panel, '#embed-again');
  const dialog = find<HTMLDialogElement>(panel, '#context');
  let current = new AbortController();
  /** The query that what is shown answers. */
  let answered = '';
  const picker = app.picker(find(panel, '.model-place'), {
    builtIn: EMBEDDERS,
    use: 'embeddings',
    onChange() {
      collections.modelChanged();
      void mapIndex(); // what was open is closed
      // A model that could not be loaded, or whose loading was cancelled, is not loaded again by itself.
      if (picker.current() || picker.choice() !== choice) runSoon();
      choice = picker.choice();
    },
  });
  let choice = picker.choice();
  const collections = createCollections(picker, app.state);
  const panelOfIndex = createIndexPanel(panel, collections, picker, app.state, () => {
    suggest();
    void run();
    void mapIndex();
  });
  let opener: Element | null = null;
  /** Shows a passage where it comes from. The index that it was found in may have been closed since. */
  async function open(passage: Parameters<typeof showContext>[1]) {
    opener = document.activeElement;
    try {
      showContext(dialog, passage, (await collections.open(panelOfIndex.shown())).documents());
    } catch (error) {
      showError(errorPlace, error);
    }
  }
  const mapPart = createMapPart(find<HTMLDetailsElement>(panel, '#search-map'), app.state, (p) => void open(p));
  const results = createResults(
    panel,
    app.state,
    (found) => passageItem(found, answered, { open: () => void open(found.hit), more: () => void more(found.hit) }),
    () => mapPart.light(results.inView()),
  );
  /** The map shows what is searched, once that is not being filled. */
  async function mapIndex() {
    if (panelOfIndex.isBusy()) return;
    const shown = panelOfIndex.shown();
    const model = panelOfIndex.isEmpty() ? undefined : collections.madeBy(shown);
    const index = model ? await collections.open(shown).catch(() => undefined) : undefined; // the panel says why
    if (shown === panelOfIndex.shown()) mapPart.indexChanged(model && index ? { index, model } : undefined);
  }
  /** Vectors are compared only with those of the model that made them. */
  function suggest() {
    const made = collections.madeBy(panelOfIndex.shown());
    if (made) picker.suggest(made);
  }

  const mode = () => (modes.find((radio) => radio.checked)?.value ?? 'hybrid') as SearchMode;
  /** Whether it has the vectors that came with the page, and its model is chosen. */
  const isShipped = (name: CollectionName) => name === 'sample' && isMade(name) && picker.name() === EMBEDDERS[0].name;
  /** Whether the chosen model made the vectors. */
  const isMade = (name: CollectionName) => collections.madeBy(name) === picker.name();

  /** `isAsked`: a model that could not be loaded is tried again. */
  async function run(isAsked = false) {
    current.abort();
    current = new AbortController();
    const { signal } = current;
    const text = field.value.trim();
    const shown = panelOfIndex.shown();
    app.state.keep('q', text || undefined);
    app.state.set('mode', mode() === 'hybrid' ? undefined : mode());
    showError(errorPlace, undefined);
    again.hidden = true;
    showAsked();
    if (text === '' || panelOfIndex.isEmpty()) {
      clear();
      status.textContent = text === '' ? '' : 'There is nothing in the index yet.';
      return;
    }
    status.textContent = 'Searching …';
    let words = ''; // what the status says of those found by words
    try {
      const index = await collections.open(shown).catch(() => undefined);
      signal.throwIfAborted();
      if (!index) {
        clear();
        status.textContent = ''; // the panel of the index says why
        return;
      }
      const embedding = isShipped(shown) ? embeddingOf(text) : undefined;
      if (mode() !== 'words' && embedding) return await answer(index, text, mode(), signal, embedding);
      const waits = !picker.current() || panelOfIndex.isBusy();
      if (mode() === 'words' || (mode() === 'hybrid' && (waits || !isMade(shown)))) {
        await answer(index, text, 'words', signal);
        words = `${status.textContent} `;
      }
      if (mode() === 'words') return;
      if (!words && ((waits && answered !== text) || !isMade(shown))) clear();
      if (!isMade(shown)) return offerAgain(shown, words);
      if (words && picker.isGivenUp() && !isAsked) {
        status.textContent = words + WITHOUT_MODEL;
        return;
      }
      const why = picker.current() ? 'passages are being embedded too' : 'the model is loading';
      if (waits) status.textContent = `${words}Searching by meaning; ${why} …`;
      await picker.use(signal, () => answer(index, text, mode(), signal));
    } catch (error) {
      if (signal.aborted) return;
      if (!words) clear();
      const isAnswered = words !== '' && picker.isGivenUp(); // the picker says why
      status.textContent = isAnswered ? words + WITHOUT_MODEL : words;
      if (!isAnswered && !isAbort(error)) showError(errorPlace, error);
    }
  }

  /** Nothing that is shown is an answer. */
  const clear = () => put([], '');

  async function answer(
    index: Index,
    text: string,
    mode: SearchMode,
    signal: AbortSignal,
    embedding?: IndexSearchOptions['embedding'],
  ) {
    const began = performance.now();
    const search = (mode: SearchMode) => index.search(text, { mode, topK: LIMIT, signal, embedding });
    const hits = await search(mode);
    const byWords = mode === 'hybrid' ? await search('words') : [];
    show(index, judged(hits, byWords, text, boundsOf(picker.name())), { text, mode, began });
  }

  function show(
    index: Index,
    found: Judged[],
    { text, mode, began }: { text: string; mode: SearchMode; began: number },
  ) {
    const fits = found.filter((one) => !isUnlikely(one)).length;
    const passages = plural(fits || found.length, 'passage');
    const facts = `${passages} of ${index.passages.toLocaleString('en')}, in ${duration(performance.now() - began)}`;
    if (found.length === 0) status.textContent = 'No passage has these words.';
    else if (fits === 0) status.textContent = `Nothing here seems to fit. The nearest are unlikely: ${facts}.`;
    else status.textContent = `${facts}${mode === 'words' ? ', by words' : ''}.`;
    put(found, text);
  }

  function put(found: Judged[], text: string) {
    answered = text;
    results.show(found);
    mapPart.light(results.inView());
    takeAway.update();
  }

  /** The passages that are most like one that was found. */
  async function more(hit: Hit) {
    current.abort();
    current = new AbortController();
    const { signal } = current;
    const shown = panelOfIndex.shown();
    if (!isMade(shown)) return offerAgain(shown, '');
    const text = passageText(hit);
    const filter = (_: unknown, id: string) => id !== hit.id;
    showError(errorPlace, undefined);
    status.textContent = 'Searching …';
    try {
      await picker.use(signal, async () => {
        const index = await collections.open(shown);
        const began = performance.now();
        const hits = await index.search(text, { mode: 'vectors', topK: LIMIT, filter, signal });
        show(index, judged(hits, [], '', boundsOf(picker.name())), { text: '', mode: 'vectors', began });
        status.textContent = `Most like “${text.slice(0, 80).trim()}…”: ${status.textContent}`;
        status.scrollIntoView({ block: 'nearest' });
      });
    } catch (error) {
      if (isAbort(error)) return;
      status.textContent = '';
      showError(errorPlace, error);
    }
  }

  /** The vectors are another model's. */
  function offerAgain(shown: CollectionName, words: string) {
    const [made, chosen] = [collections.madeBy(shown), picker.name()];
    status.textContent = `${words}Its vectors are by ${made}, and ${chosen} cannot be compared with them.`;
    again.textContent = `Embed it again with ${chosen}`;
    again.hidden = false;
  }

  const takeAway = createTakeAway(find(panel, '.take-away'), app.state, {
    code: () => searchCode(picker.choice(), field.value.trim(), mode()),
    exports: () => [
      ...(results.all().length > 0 ? hitFiles(results.all()) : []),
      ...(panelOfIndex.isEmpty()
        ? []
        : [
            {
              label: 'Index',
              name: INDEX_FILE,
              make: async () => (await collections.open(panelOfIndex.shown())).export(),
            },
          ]),
    ],
    texts: ['q'],
  });

  /** What stands there depends on whether something is looked for. */
  function showAsked() {
    const isAsked = field.value.trim() !== '';
    const isOwn = panelOfIndex.shown() === 'own';
    find(panel, '#found').classList.toggle('asked', isAsked && !(isOwn && panelOfIndex.isEmpty()));
    find(panel, '#questions').hidden = isAsked || isOwn;
  }
  const takeState = () => {
    field.value = app.state.get('q') ?? '';
    showAsked();
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
    void run(true);
  });
  for (const question of QUESTIONS) {
    const button = element('button', { type: 'button', className: 'example' }, question);
    button.addEventListener('click', () => {
      field.value = question;
      field.focus();
      void run();
    });
    find(panel, '#questions').append(button);
  }
  again.addEventListener('click', () => {
    again.hidden = true;
    void panelOfIndex.rebuild();
  });
  find(dialog, '#close-context').addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', () => {
    if (!opener?.isConnected) field.focus(); // it has gone, with other results
  });
  // On a phone the keyboard takes half of the screen: the field goes to the top, and what is found stands below it.
  field.addEventListener('focus', () => {
    if (matchMedia('(max-width: 40rem)').matches) field.scrollIntoView({ block: 'start' });
  });
  app.state.onChange(() => {
    takeState();
    void run();
  });
  takeState();
  suggest();
  // The model is loaded once the index is open: words answer before it takes the processor.
  await panelOfIndex.start();
  if (navigator.gpu && !savesData()) void picker.load();
}
