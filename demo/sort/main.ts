import type { App } from '../app';
import { trainingView } from '../classify/training-view';
import { EMBEDDERS } from '../models/built-in';
import '../classify/classify.css';
import { debounced, find, isAbort, messageOf, savesData, showError } from '../dom';
import { namedProblems } from '../files/documents';
import { createDropZone } from '../files/drop-zone';
import '../files/drop-zone.css';
import { count, plural } from '../numbers';
import { createProgress, type ProgressStep } from '../progress-view';
import { createChips } from './chips';
import { createCollection } from './collection';
import { createEngine } from './engine';
import { folderClasses } from './folders';
import { ENOUGH } from './learn';
import { createList } from './list';
import html from './panel.html?raw';
import { qualityLine } from './quality';
import { lacking, leastSureFirst } from './ranking';
import { readFiles } from './read-files';
import { SAMPLE, SAMPLE_CLASSES } from './sample';
import './sort.css';
import { createStore } from './store';
import { classOf } from './table';
import { startTakeAway } from './take-away-step';

/** Milliseconds of rest after a label before a classifier is trained: several may come. */
const REST = 600;
/** Where tabs of this page tell each other of changes. */
const CHANNEL = 'modernbert-webgpu/demo/sort';

/** The tab that sorts files into classes: it guesses, the user corrects, and it learns from that. */
export function start(panel: HTMLElement, app: App): void {
  panel.innerHTML = html;
  const note = find(panel, '#sort-note');
  const problems = find(panel, '#sort-problems');
  const classError = find(panel, '#sort-class-error');
  const classField = find<HTMLInputElement>(panel, '#sort-class-name');
  const undoButton = find<HTMLButtonElement>(panel, '#sort-undo');
  const progressPlace = find(panel, '.progress-place');
  const progress = createProgress(progressPlace, cancel);
  const channel = new BroadcastChannel(CHANNEL);
  const store = createStore();
  /** Files of this visit, by hash: only their texts are kept. */
  const originals = new Map<string, File>();
  let reading = new AbortController();
  /** Drops of files, which are read one after the other. */
  let queue = Promise.resolve();
  let shownEvaluation: unknown;

  const notKept = (error: unknown) => {
    note.textContent = `What you do here is not kept on this device: ${messageOf(error)}`;
  };
  const collection = createCollection(store, {
    change: () => render('as it is'),
    kept: () => channel.postMessage('changed'),
    problem: notKept,
  });
  const picker = app.picker(find(panel, '.model-place'), {
    builtIn: EMBEDDERS,
    use: 'embeddings',
    onChange: () => engine.modelChanged(),
  });
  const engine = createEngine(collection, store, picker, {
    progress: showProgress,
    update: () => render('anew'),
    error: (error) => showError(problems, error),
    problem: notKept,
  });
  const relearnSoon = debounced(REST, engine.relearn);
  const chips = createChips(find(panel, '#sort-chips'), {
    rename: (old, name) => changeClasses(() => engine.rename(old, collection.renameClass(old, name))),
    remove(name) {
      changeClasses(() => collection.removeClass(name));
      classField.focus();
    },
  });
  const list = createList(find(panel, '#sort-list'), {
    choose(hash, label) {
      collection.label(new Map([[hash, label]]));
      relearnSoon();
    },
    remove(hash) {
      collection.remove(hash);
      relearnSoon();
    },
    undo,
  });
  const takeAway = startTakeAway(panel, app.state, { collection, engine, picker, originals });

  function showProgress(step: ProgressStep | undefined) {
    const hadFocus = progressPlace.contains(document.activeElement);
    if (step) progress.show(step);
    else progress.hide();
    showFacts();
    const again = find(panel, '#sort-continue');
    again.hidden = step !== undefined || engine.missing() === 0;
    if (!step && hadFocus) (again.hidden ? find(panel, '#sort-forget') : again).focus();
  }

  function showFacts() {
    const missing = engine.isBusy() ? 0 : engine.missing();
    const unread = missing > 0 ? `, ${count(missing)} of them not read by the model yet` : '';
    find(panel, '#sort-facts').textContent = `${plural(collection.documents.size, 'file')}${unread}`;
  }

  /** Does something to the classes; shows what is wrong with it. */
  function changeClasses(change: () => void): boolean {
    showError(classError, undefined);
    try {
      change();
    } catch (error) {
      showError(classError, error);
      return false;
    }
    engine.relearn();
    return true;
  }

  function undo() {
    const [hash] = collection.undo() ?? [];
    if (hash === undefined) return;
    if (collection.documents.has(hash)) list.focus(hash);
    relearnSoon();
  }

  function take(files: File[]) {
    const { signal } = reading;
    queue = queue.then(() => read(files, signal));
  }

  async function read(files: File[], signal: AbortSignal) {
    if (signal.aborted) return;
    showError(problems, undefined);
    try {
      const found = await readFiles(files, () => collection.documents, signal, {
        progress: (done, total) => engine.isBusy() || showProgress({ what: 'Opening', done, total, unit: 'file' }),
        read(some) {
          for (const [hash, file] of some.files) originals.set(hash, file);
          collection.add(some.documents);
          engine.run();
        },
      });
      if (found.length > 0) showError(problems, namedProblems(found));
      void navigator.storage?.persist?.(); // neither on pages without https
    } catch (error) {
      if (!isAbort(error)) showError(problems, error);
    }
    if (!engine.isBusy()) showProgress(undefined);
  }

  function cancel() {
    reading.abort();
    reading = new AbortController();
    engine.cancel();
  }

  /** `order`: the files stay where they are while the user labels, and are sorted anew once there are new guesses. */
  function render(order: 'as it is' | 'anew') {
    const documents = [...collection.documents.values()];
    const labels = collection.labels();
    const { scores, evaluation, examples } = engine.learnt;
    const { classes } = collection;
    const isFilled = documents.length > 0;
    const isNamed = isFilled && classes.length > 1;
    find(panel, '#sort-begin').hidden = isFilled;
    find(panel, '#sort-have').hidden = !isFilled;
    find(panel, '#sort-classes').hidden = !isFilled && classes.length === 0;
    find(panel, '#sort-check').hidden = !isFilled;
    find(panel, '#sort-take').hidden = !isNamed;
    showFacts();
    classField.placeholder =
      classes.length === 0
        ? 'A class, for example invoice'
        : classes.length === 1
          ? 'At least one more'
          : 'Another class';
    showFolderOffer();

    const sizes = new Map<string, number>();
    for (const { hash } of documents) {
      const label = classOf(hash, labels, scores)?.label;
      if (label !== undefined) sizes.set(label, (sizes.get(label) ?? 0) + 1);
    }
    chips(classes, sizes);
    const wanted = new Set(lacking(classes, labels.values(), ENOUGH).map(({ label }) => label));
    const stateOf = (hash: string) => ({ classes, label: labels.get(hash), scores: scores.get(hash) });
    list.update(leastSureFirst(documents, labels, scores, wanted), stateOf, order === 'anew');
    undoButton.disabled = !collection.canUndo();
    find(panel, '#sort-quality').textContent = isNamed
      ? qualityLine(classes, labels, evaluation, scores.size > 0)
      : 'Name at least two classes.';
    if (shownEvaluation !== evaluation) {
      shownEvaluation = evaluation;
      const named = examples.map(({ hash, names: [text] }) => ({ text, label: labels.get(hash) ?? '' }));
      find(panel, '#sort-matrix .training').replaceChildren(...(evaluation ? trainingView(named, evaluation) : []));
    }
    find(panel, '#sort-matrix').hidden = evaluation === undefined;
    takeAway.update();
  }

  /** Folders of the files that could be classes and are not yet. */
  function offered(): Map<string, string> {
    const { documents } = collection;
    const byPath = folderClasses(Array.from(documents.values(), ({ names: [name] }) => name));
    const labels = collection.labels();
    const offer = new Map<string, string>();
    for (const {
      hash,
      names: [name],
    } of documents.values()) {
      const label = byPath?.get(name);
      if (label !== undefined && (!labels.has(hash) || collection.classNamed(label) === undefined))
        offer.set(hash, label);
    }
    return offer;
  }

  function showFolderOffer() {
    const folders = [...new Set(offered().values())];
    const isNew = folders.some((name) => collection.classNamed(name) === undefined);
    const place = find(panel, '#sort-folders');
    place.hidden = !isNew;
    const named = folders.slice(0, 4).join(', ') + (folders.length > 4 ? ` and ${folders.length - 4} more` : '');
    find(place, 'p').textContent = `The files lie in folders: ${named}. Are these the classes?`;
  }

  createDropZone(find(panel, '#sort-drop'), { target: panel, onFiles: take });
  find(panel, '#sort-sample').addEventListener('click', () => {
    collection.addClasses(SAMPLE_CLASSES);
    take(SAMPLE.map(({ name, text }) => new File([text], name, { type: 'text/plain' })));
  });
  find(panel, '#sort-add-class').addEventListener('submit', (event) => {
    event.preventDefault();
    if (changeClasses(() => collection.addClass(classField.value))) classField.value = '';
    classField.focus();
  });
  find(panel, '#sort-folders button').addEventListener('click', () => {
    const offer = offered();
    collection.addClasses(offer.values());
    const labels = collection.labels();
    const open = [...offer].filter(([hash]) => !labels.has(hash));
    collection.label(new Map(open.map(([hash, folder]) => [hash, collection.classNamed(folder)])));
    engine.relearn();
    classField.focus();
  });
  find(panel, '#sort-continue').addEventListener('click', engine.run);
  find(panel, '#sort-forget').addEventListener('click', () => {
    if (!confirm('Delete the texts, labels and classes from this browser? The files themselves stay where they are.'))
      return;
    cancel();
    engine.forget();
    originals.clear();
    collection.forget();
    find(panel, '#sort-sample').focus();
  });
  undoButton.addEventListener('click', undo);
  channel.addEventListener('message', async () => {
    await collection.load();
    if (collection.documents.size === 0) engine.forget();
    if (picker.current()) engine.run();
    engine.relearn();
  });

  render('anew');
  void collection.load().then(() => {
    if (collection.documents.size > 0 && navigator.gpu && !savesData()) engine.run();
    showProgress(undefined);
  });
}
