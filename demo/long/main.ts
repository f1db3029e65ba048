import type { Model } from '../../src/index';
import type { App } from '../app';
import { debounced, find, isAbort, savesData, showError, staleNote } from '../dom';
import { EMBEDDERS } from '../models/built-in';
import '../files/drop-zone.css';
import type { Choice } from '../models/model-store';
import { count, plural } from '../numbers';
import type { ProgressView } from '../progress-view';
import { createRunButton } from '../run-button';
import { statusLine } from '../status-line';
import { createTakeAway } from '../take-away/take-away';
import { createAnswer } from './answer';
import { showReading } from './clock';
import type { Measured } from './cost';
import './long.css';
import { extentNotes } from './notes';
import html from './panel.html?raw';
import { firstPassages, type Passage } from './passages';
import { answeredBefore, createOffer } from './questions';
import {
  embedQuestion,
  measure,
  type Prepared,
  prepare,
  readPassages,
  timeFor,
  type Vectors,
  windowsFor,
} from './read';
import { QUESTIONS } from './sample';
import { cosinesTo, meanDirection } from './scores';
import { about, createSizes, sizeWithin } from './sizes';
import { createSource, type LongText, type Origin, pageOf } from './source';
import { longCode, longFiles } from './take-away';
import type { Window } from './windows';

/** Milliseconds after the last key. */
const REST = 150;
/** Milliseconds that reading may take without being asked for; a text of few tokens is not measured before. */
const PATIENCE = 10_000;
const FEW_TOKENS = 1024;

/** A text that was read, and by what. */
export interface Reading {
  model: Model;
  choice: Choice;
  source: LongText;
  /** Tokens of it that were to be read. */
  size: number;
  passages: Passage[];
  windows: Window[];
  vectors: Vectors;
  /** What to say of it. */
  notes: string[];
}

/** The tab that shows where in a long text an answer is. Its model is loaded when it is first needed. */
export function start(panel: HTMLElement, app: App): void {
  panel.innerHTML = html;
  const status = find(panel, '#long-status');
  const field = find<HTMLInputElement>(panel, '#long-question');
  const result = find(panel, '#long-result');
  const note = find(panel, '#long-note');
  const questionError = find(panel, '#question-error');
  const showStale = staleNote(result, 'Press Read for new results.');
  const measured = new WeakMap<Model, Measured>();
  let reading: Reading | undefined;
  /** What the strip and the text show. */
  let shown: Reading | undefined;
  /** The question that it is coloured by. */
  let answered = '';
  /** What the latest run is of. */
  let running: Choice | undefined;
  /** How its text came; undefined if the user asked for the run. */
  let unasked: Origin | undefined;
  let prepared: { model: Model; text: string; parts: Prepared } | undefined;
  let asking = new AbortController();

  const picker = app.picker(find(panel, '.model-place'), {
    builtIn: EMBEDDERS,
    use: 'embeddings',
    onChange() {
      const before = running ?? reading?.choice;
      // Whoever has a text read and takes another model wants it read by that.
      if (before && picker.choice() !== before) runButton.start();
    },
  });
  const answer = createAnswer(result);
  const offer = createOffer(find(panel, '#long-examples'), QUESTIONS, (question) => {
    field.value = question;
    void ask();
  });
  const sizes = createSizes(find<HTMLSelectElement>(panel, '#long-size'), app.state, () => {
    if (reading) showStale(true);
  });

  const runButton = createRunButton(
    find<HTMLFormElement>(panel, '#long-source form'),
    find<HTMLButtonElement>(panel, '#long-read'),
    { error: find(panel, '#long-error'), status },
    async (signal, progress) => {
      const origin = unasked;
      unasked = undefined;
      const choice = picker.choice();
      running = choice;
      try {
        await picker.use(signal, (model) => read(model, origin, signal, progress));
      } finally {
        if (running === choice) running = undefined;
      }
    },
  );
  function runUnasked(origin: Origin) {
    unasked = origin;
    runButton.start();
  }

  /** The text in passages; of a text that was just divided they are still here. */
  async function divide(model: Model, text: string, signal: AbortSignal, progress: ProgressView): Promise<Prepared> {
    if (prepared?.model === model && prepared.text === text) return prepared.parts;
    const parts = await prepare(model, text, signal, (done) =>
      progress.show({ what: 'Dividing the text', done, total: text.length, unit: 'character' }),
    );
    prepared = { model, text, parts };
    return parts;
  }

  async function read(model: Model, origin: Origin | undefined, signal: AbortSignal, progress: ProgressView) {
    const choice = picker.choice();
    const text = source.current();
    const { passages: all, tokens, room, end } = await divide(model, text.text, signal, progress);
    const timeOf = (n: number) =>
      timeFor(model, measured.get(model) as Measured, windowsFor(firstPassages(all, n), room));
    if (tokens > FEW_TOKENS && !measured.has(model)) {
      progress.show({ what: 'Measuring how fast this device is' });
      measured.set(model, await measure(model, text.text, all, signal));
    }
    const isMeasured = measured.has(model);
    sizes.offer(tokens, isMeasured ? timeOf : undefined);
    const time = isMeasured ? timeOf(sizes.get()) : 0;
    if (origin && time > PATIENCE) {
      if (origin !== 'sample') {
        const much = plural(Math.min(tokens, sizes.get()), 'token');
        status.textContent = `${much}: ${about(time)} on this device. Press Read, or choose fewer.`;
        return;
      }
      sizes.set(sizeWithin(PATIENCE, tokens, timeOf));
    }
    const size = sizes.get();
    const passages = firstPassages(all, size);
    const windows = windowsFor(passages, room);
    const began = performance.now();
    const foretold = measured.get(model);
    const clock = showReading(progress, windows, foretold ? timeFor(model, foretold, windows) : 0);
    let vectors: Vectors;
    try {
      vectors = await readPassages(model, text.text, passages, windows, {
        signal,
        onPass(window, ms) {
          clock.passed(window);
          if (window.tokens >= (measured.get(model)?.tokens ?? 0)) measured.set(model, { tokens: window.tokens, ms });
        },
      });
    } finally {
      clock.stop();
    }
    const used = windows.reduce((sum, window) => sum + window.tokens, 0);
    const passes = windows.length === 1 ? '1 pass' : `${count(windows.length)} passes`;
    status.textContent = `${statusLine(model, performance.now() - began, used)} · ${passes}`;
    sizes.offer(tokens, measured.has(model) ? timeOf : undefined);
    const notes = extentNotes({
      model: choice.name,
      limit: model.info.maxTokens,
      windows: windows.length,
      read: passages.reduce((sum, passage) => sum + passage.tokens, 0),
      tokens,
      characters: text.text.trimEnd().length,
      end,
      time: measured.has(model) ? timeOf(tokens) : undefined,
    });
    signal.throwIfAborted();
    reading = { model, choice, source: text, size, passages, windows, vectors, notes };
    offer.set(answeredBefore(text.questions ?? [], text.text, passages[passages.length - 1].end));
    const isNew = shown?.source !== text;
    if (isNew) field.value = offer.instead(field.value.trim()) ?? field.value;
    await ask();
  }

  function show(next: Reading) {
    const { source: from, passages, notes } = next;
    const { text } = from;
    shown = next;
    note.textContent = notes.join(' ');
    result.hidden = false;
    // Something may have been written or chosen while the model read.
    const isStale = next.source.text !== source.current().text || next.size !== sizes.get();
    showStale(isStale);
    if (!isStale) source.fold(true);
    const places = passages.map(({ start, end }) => {
      const page = pageOf(from, start + text.slice(start, end).search(/\S/));
      return page === undefined ? '' : `page ${page}`;
    });
    const isAll = passages[passages.length - 1].end >= text.trimEnd().length;
    answer.setText(text, passages, places, isAll ? '' : 'The text goes on; what follows was not read.');
  }

  /** Colours what was read by the question, or without one by how typical it is of the text. */
  async function ask() {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    const question = field.value.trim();
    app.state.keep('question', question || undefined);
    offer.show(question);
    showError(questionError, undefined);
    const current = reading;
    if (!current) return;
    const { model, choice, vectors } = current;
    // A question's vector compares only with those of the same model.
    if (model !== picker.current()) return showStale(true);
    let vector = meanDirection(vectors.passages);
    let asked = '';
    try {
      if (question !== '') vector = await embedQuestion(model, question, signal);
      asked = question;
    } catch (error) {
      if (isAbort(error) || signal.aborted || reading !== current) return;
      showError(questionError, error);
      if (shown === current) return; // what the last question has found
    }
    if (signal.aborted || reading !== current) return;
    if (shown !== current) show(current);
    const [passages, sentences] = [vectors.passages, vectors.sentences].map((rows) => cosinesTo(vector, rows));
    answer.show({ question: asked, model: choice.name, passages, sentences });
    answered = asked;
    takeAway.update();
  }

  const takeAway = createTakeAway(find(panel, '.take-away'), app.state, {
    // Of what is shown, whatever is chosen or written by now.
    code: () => ({
      typescript: shown
        ? longCode(shown.choice, answered, shown.passages, shown.windows)
        : longCode(picker.choice(), field.value.trim(), [], []),
    }),
    exports() {
      if (!reading || shown !== reading) return [];
      const facts = { model: shown.choice.name, text: shown.source.name, question: answered };
      return longFiles(answer.rows(), answer.cells(), answer.shares(), facts);
    },
    texts: ['question'],
  });

  const askSoon = debounced(REST, () => void ask());
  field.addEventListener('input', askSoon);
  field.addEventListener('focus', () => void picker.load(), { once: true });
  find(panel, '#long-ask').addEventListener('submit', (event) => {
    event.preventDefault();
    if (reading) answer.next();
    else runButton.start();
  });
  const takeQuestion = () => {
    field.value = app.state.get('question') ?? '';
    void ask();
  };
  app.state.onChange(takeQuestion);
  takeQuestion();

  const source = createSource(panel, app.state, ({ text }, origin) => {
    if (origin === 'written') {
      if (!savesData()) void picker.load();
      if (text !== reading?.source.text) sizes.reset();
      return showStale(reading !== undefined && text !== reading.source.text);
    }
    reading = undefined;
    shown = undefined;
    sizes.reset();
    result.hidden = true;
    takeAway.update();
    source.fold(false);
    offer.set([]);
    offer.show('');
    if (origin !== 'kept' || !savesData()) runUnasked(origin);
  });
}
