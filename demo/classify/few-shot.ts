import { loadClassifier, trainClassifier } from '../../src/classifier';
import type { Model } from '../../src/index';
import type { App } from '../app';
import { debounced, find, isAbort, showError, staleNote } from '../dom';
import { linesOf } from '../lines';
import { EMBEDDERS } from '../models/built-in';
import type { Choice } from '../models/model-store';
import { count, plural } from '../numbers';
import { createRunButton } from '../run-button';
import { jsonFile } from '../take-away/save-file';
import { createTakeAway } from '../take-away/take-away';
import { countTokens } from '../token-counter';
import { bars } from './bars';
import { createClasses } from './classes';
import type { Example } from './csv';
import { createCsvPart } from './csv-part';
import { checkModel, type HeadFile, parseHeadFile, training, usage } from './head-file';
import { SAMPLE } from './sample';
import { trainingView } from './training-view';

/** Texts that are less typical of the examples may be of no class at all. */
const UNLIKE = 0.05;
/** Milliseconds of rest in typing before texts are classified. */
const REST = 250;

/** Classes given by examples: a head is trained on any encoder's embeddings. */
export function startFewShot(panel: HTMLElement, app: App): void {
  const form = find<HTMLFormElement>(panel, '#few-form');
  const tryField = find<HTMLTextAreaElement>(form, '#try-texts');
  const places = { error: find(form, '.error'), status: find(form, '.status') };
  const showStale = staleNote(find(form, '#training'), 'Press Train to learn from the examples as they are now.');
  const saveSoon = debounced(REST, () => {
    app.state.keep('classes', classes.save());
    takeAway.update();
  });
  const classes = createClasses(find(form, '#classes'), find<HTMLButtonElement>(form, '#undo-classes'), () => {
    showStale(head !== undefined);
    saveSoon();
  });
  let head: HeadFile | undefined;
  /** The model of the head: another one may be chosen since. */
  let madeBy: Choice | undefined;
  let trying = new AbortController();
  const picker = app.picker(find(panel, '#few-model'), {
    builtIn: EMBEDDERS,
    use: 'embeddings',
    onChange() {
      if (head && !isMadeBy(picker.choice())) showStale(true);
      takeAway.update();
    },
  });
  const isMadeBy = ({ source, dtype }: Choice) => source === madeBy?.source && dtype === madeBy.dtype;

  function readState() {
    const kept = app.state.get('classes') ?? '';
    tryField.value = app.state.get('try') ?? tryField.defaultValue;
    if (kept === classes.save()) return;
    try {
      classes.restore(kept);
    } catch {
      classes.set(SAMPLE); // nothing was kept
    }
  }
  readState();
  app.state.onChange(() => {
    const before = classes.save();
    readState();
    if (classes.save() !== before) showStale(head !== undefined);
  });
  form.addEventListener('focusin', picker.load, { once: true });
  find(form, '#add-class').addEventListener('click', classes.add);
  find(form, '#use-sample').addEventListener('click', () => classes.set(SAMPLE));
  const columns = find(form, '#columns');
  createCsvPart({ zone: find(form, '#csv-drop'), place: columns, error: places.error }, classes.set);
  find(form, '#undo-classes').addEventListener('click', () => columns.replaceChildren()); // what it says is no longer so

  createRunButton(form, find(form, '#train'), places, async (signal, progress) => {
    const examples = currentExamples();
    const choice = picker.choice();
    await picker.use(signal, async (model) => {
      const { longest } = await countTokens(
        model,
        examples.map(({ text }) => text),
      );
      const { maxTokens } = model.info;
      const classifier = await trainClassifier(model, examples, {
        signal,
        truncate: true,
        onProgress: ({ phase, done, total }) =>
          progress.show(
            phase === 'embed' ? { what: 'Embedding', done, total, unit: 'example' } : { what: 'Training', done, total },
          ),
      });
      signal.throwIfAborted();
      head = { ...classifier.toJSON(), model: choice.name };
      madeBy = choice;
      find(form, '#training').replaceChildren(...trainingView(examples, classifier.evaluation));
      const cut = longest > maxTokens ? ` Of long ones the first ${count(maxTokens)} tokens were read.` : '';
      places.status.textContent = `Trained on ${plural(examples.length, 'example')}.${cut}`;
      showStale(false);
    });
    showHead();
    void tryAgain();
  });

  const takeAway = createTakeAway(find(form, '.take-away'), app.state, {
    code: () => ({
      typescript: head && madeBy ? usage(head, madeBy) : training(currentExamples(), picker.choice()),
    }),
    exports: () =>
      head ? [{ label: 'Trained classifier', name: 'classifier-head.json', make: () => jsonFile(head) }] : [],
    texts: ['classes', 'try'],
  });

  /** The examples in the fields; throws an Error in words if nothing can be learnt from them. */
  function currentExamples(): Example[] {
    const groups = classes.get();
    const labels = groups.map(({ label }) => label);
    if (groups.length < 2) throw new Error('Give examples of at least two classes, each with a name.');
    const twice = labels.find((label, i) => labels.indexOf(label) < i);
    if (twice) throw new Error(`Two classes have the name ${twice}. Rename one of them.`);
    return groups.flatMap(({ label, texts }) => texts.map((text) => ({ text, label })));
  }

  function showHead() {
    if (!head) return;
    find(form, '#try').hidden = false;
    takeAway.update();
  }

  /** Classifies the texts of the field, in place of those that are being classified. */
  async function tryHead(model: Model) {
    trying.abort();
    trying = new AbortController();
    const { signal } = trying;
    const [current, texts] = [head, linesOf(tryField.value)];
    const place = find(form, '#try-results');
    if (!current || texts.length === 0) return place.replaceChildren();
    checkModel(current, picker.name());
    const classifier = loadClassifier(model, current);
    const isTested = classifier.evaluation.folds > 0;
    const [results, typicality] = await Promise.all([
      classifier.classify(texts, { signal, truncate: true }),
      isTested ? classifier.typicality(texts, { signal, truncate: true }) : [],
    ]);
    const notes = typicality.map((share) =>
      share < UNLIKE ? 'Unlike the examples: perhaps none of these.' : undefined,
    );
    place.replaceChildren(bars(texts, results, notes));
  }

  /** As tryHead; shows what goes wrong. */
  async function tryAgain() {
    showError(places.error, undefined);
    try {
      await picker.use(new AbortController().signal, tryHead);
    } catch (error) {
      if (!isAbort(error)) showError(places.error, error);
    }
  }

  tryField.addEventListener('input', () => app.state.keep('try', tryField.value));
  tryField.addEventListener(
    'input',
    debounced(REST, () => void tryAgain()),
  );
  const importer = find<HTMLInputElement>(form, '#import-head');
  find(form, '#import').addEventListener('click', () => importer.click());
  importer.addEventListener('change', async () => {
    const file = importer.files?.[0];
    if (!file) return;
    showError(places.error, undefined);
    try {
      const read = parseHeadFile(file.name, await file.text());
      const choice = picker.choice();
      checkModel(read, choice.name);
      await picker.use(new AbortController().signal, async (model) => void loadClassifier(model, read));
      head = read;
      madeBy = choice;
    } catch (error) {
      return showError(places.error, error);
    } finally {
      importer.value = ''; // so that the same file can be chosen again
    }
    find(form, '#training').replaceChildren();
    showStale(false);
    places.status.textContent = `${file.name}: a classifier with the classes ${head.labels.join(', ')}.`;
    showHead();
    await tryAgain();
  });
}
