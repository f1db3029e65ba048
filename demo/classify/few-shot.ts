import { proxy } from 'comlink';
import type { App } from '../app';
import { debounced, element, find, isAbort, showError } from '../dom';
import { createDropZone } from '../drop-zone';
import { count, percent, plural } from '../numbers';
import { createRunButton } from '../run-button';
import { saveFile } from '../save-file';
import { callWorker } from '../worker-call';
import { bars } from './bars';
import { createClasses } from './classes';
import { confidence, confusion } from './cross-validation';
import { asTable, type Example, guessColumns, parseRows, toExamples } from './csv';
import { checkModel, type HeadFile, headFile, linearHead, parseHeadFile, usage } from './head-file';
import { linesOf } from './lines';
import { L2, probabilities } from './logistic-regression';
import { SAMPLE } from './sample';
import type { Trained, Trainer } from './worker';

const startTrainer = () => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'classify' });

/** Fewer examples of a class say little of how good a head is. */
const FEW = 10;

/** Classes given by examples: a head is trained on any encoder's embeddings. */
export function startFewShot(panel: HTMLElement, app: App): void {
  const form = find<HTMLFormElement>(panel, '#few-form');
  const tryField = find<HTMLTextAreaElement>(form, '#try-texts');
  const places = { error: find(form, '.error'), status: find(form, '.status') };
  const classes = createClasses(find(form, '#classes'));
  const source = './models/nano-embed';
  let head: HeadFile | undefined;
  let trying = new AbortController();
  const picker = app.picker(find(panel, '#few-model'), {
    builtIn: { name: 'nano-embed', source },
    onChange: () => {},
  });

  classes.set(SAMPLE);
  find(form, '#add-class').addEventListener('click', () => classes.add());
  find(form, '#use-sample').addEventListener('click', () => classes.set(SAMPLE));
  createDropZone(find(form, '#csv-drop'), {
    accept: '.csv,.tsv,.txt',
    prompt: 'Drop a CSV of texts and their classes here',
    folders: false,
    onFiles: ([file]) => void takeCsv(file),
  });

  async function takeCsv(file: File) {
    showError(places.error, undefined);
    try {
      const rows = parseRows(file.name, await file.text());
      const guess = guessColumns(rows);
      const place = find(form, '#columns');
      const chooser = (label: string, chosen: number) => {
        const select = element('select', {}) as HTMLSelectElement;
        for (const [i, name] of asTable(rows, guess.hasHeader).columns.entries()) {
          select.append(new Option(name, String(i), i === chosen, i === chosen));
        }
        return { select, field: element('label', {}, `${label} `, select) };
      };
      const text = chooser('Text', guess.text);
      const label = chooser('Class', guess.label);
      const header = element('input', { type: 'checkbox', checked: guess.hasHeader }) as HTMLInputElement;
      const use = element('button', { type: 'button' }, 'Use these rows');
      const cancel = element('button', { type: 'button' }, 'Cancel');
      place.replaceChildren(
        element('p', {}, `${file.name}: ${plural(rows.length, 'row')}`),
        text.field,
        label.field,
        element('label', {}, header, ' First row names the columns'),
        use,
        cancel,
      );
      cancel.addEventListener('click', () => place.replaceChildren());
      use.addEventListener('click', () => {
        const table = asTable(rows, header.checked);
        const { examples, left } = toExamples(table, Number(text.select.value), Number(label.select.value));
        classes.set(byLabel(examples));
        place.replaceChildren(
          element(
            'p',
            { className: 'count' },
            `${plural(examples.length, 'example')} taken, ${count(left)} rows lacked a text or a class.`,
          ),
        );
      });
      use.focus();
    } catch (error) {
      showError(places.error, error);
    }
  }

  createRunButton(form, find(form, '#train'), places, async (signal) => {
    const groups = classes.get();
    const labels = groups.map(({ label }) => label);
    if (groups.length < 2) throw new Error('Give examples of at least two classes, each with a name.');
    if (new Set(labels).size < labels.length) throw new Error('Two classes have the same name. Rename one of them.');
    const texts = groups.flatMap(({ texts }) => texts);
    const targets = groups.flatMap(({ texts }, c) => texts.map(() => c));
    await picker.use(signal, async (model) => {
      const { data, dim } = await model.embed(texts, {
        signal,
        onProgress: ({ done }) => {
          places.status.textContent = `Embedding: ${count(done)} of ${plural(texts.length, 'example')} …`;
        },
      });
      places.status.textContent = 'Training …';
      const trained = await callWorker<Trainer, Trained>(startTrainer, signal, (trainer) =>
        trainer.train(
          { features: data, dim, targets, classes: labels.length },
          proxy(() => {}),
        ),
      );
      const { folds, predicted } = trained;
      const accuracy = folds ? confusion(targets, predicted, labels.length).accuracy : null;
      head = headFile(trained.head, {
        model: picker.name(),
        dtype: model.info.dtype,
        dim,
        labels,
        training: { examples: texts.length, l2: L2, folds, accuracy },
      });
      showTraining(find(form, '#training'), labels, texts, targets, trained);
      showHead();
      places.status.textContent = `Trained on ${plural(texts.length, 'example')}.`;
    });
    await tryHead();
  });

  function showHead() {
    if (!head) return;
    find(form, '#try').hidden = false;
    find(form, '#snippet').textContent = usage(head, head.model === 'nano-embed' ? source : head.model);
  }

  async function tryHead() {
    trying.abort();
    trying = new AbortController();
    const { signal } = trying;
    const [current, texts] = [head, linesOf(tryField.value)];
    const place = find(form, '#try-results');
    if (!current || texts.length === 0) return place.replaceChildren();
    try {
      await picker.use(signal, async (model) => {
        const { row, dim } = await model.embed(texts, { signal });
        checkModel(current, { name: picker.name(), dim });
        const linear = linearHead(current);
        const results = texts.map((_, i) =>
          probabilities(linear, row(i))
            .map((score, c) => ({ label: current.labels[c], score }))
            .sort((a, b) => b.score - a.score),
        );
        if (!signal.aborted) place.replaceChildren(bars(texts, results));
        showError(places.error, undefined);
      });
    } catch (error) {
      if (!isAbort(error) && !signal.aborted) showError(places.error, error);
    }
  }

  tryField.addEventListener(
    'input',
    debounced(250, () => void tryHead()),
  );
  find(form, '#export-head').addEventListener('click', () => {
    saveFile('classifier-head.json', new Blob([JSON.stringify(head)], { type: 'application/json' }));
  });
  const importer = find<HTMLInputElement>(form, '#import-head');
  find(form, '#import').addEventListener('click', () => importer.click());
  importer.addEventListener('change', async () => {
    const file = importer.files?.[0];
    importer.value = '';
    if (!file) return;
    try {
      const read = parseHeadFile(file.name, await file.text());
      checkModel(read, { name: picker.name() });
      head = read;
      showError(places.error, undefined);
      find(form, '#training').replaceChildren();
      places.status.textContent = `${file.name}: a head with the classes ${read.labels.join(', ')}.`;
      showHead();
      await tryHead();
    } catch (error) {
      showError(places.error, error);
    }
  });
}

function byLabel(examples: Example[]): Record<string, string[]> {
  const groups: Record<string, string[]> = Object.create(null); // a class may be called constructor
  for (const { label, text } of examples) {
    groups[label] ??= [];
    groups[label].push(text);
  }
  return groups;
}

/** Accuracy, the confusion matrix and what was taken for something else. */
function showTraining(place: HTMLElement, labels: string[], texts: string[], targets: number[], trained: Trained) {
  const { folds, predicted } = trained;
  if (folds === 0) {
    const note = 'A class has a single example: how good the head is cannot be tested. Give every class at least two.';
    return place.replaceChildren(element('p', {}, note));
  }
  const { counts, accuracy } = confusion(targets, predicted, labels.length);
  const [low, high] = confidence(accuracy, targets.length);
  const table = element('table', { className: 'confusion' });
  table.createCaption().textContent = 'Rows: the class that it is; columns: the class that the head said';
  const head = table.createTHead().insertRow();
  head.append(element('td'), ...labels.map((label) => element('th', { scope: 'col' }, label)));
  const body = table.createTBody();
  for (const [truth, row] of counts.entries()) {
    const line = body.insertRow();
    line.append(element('th', { scope: 'row' }, labels[truth]));
    const total = row.reduce((sum, n) => sum + n, 0);
    for (const [said, n] of row.entries()) {
      const cell = line.insertCell();
      cell.textContent = String(n);
      cell.classList.toggle('right', truth === said);
      cell.classList.toggle('strong', n / total > 0.625);
      cell.style.setProperty('--share', String(n / total));
    }
  }
  const wrong = targets.flatMap((target, i) => (predicted[i] === target ? [] : [i]));
  const few = Math.min(...counts.map((row) => row.reduce((sum, n) => sum + n, 0))) < FEW;
  place.replaceChildren(
    element(
      'p',
      { className: 'accuracy' },
      element('strong', {}, percent(accuracy, 0)),
      ` right in ${folds}-fold cross-validation; with so many examples the truth lies between ${percent(low, 0)} and ${percent(high, 0)}.`,
      few ? ` A class has fewer than ${FEW} examples, so take this as a hint.` : '',
    ),
    element('div', { className: 'table-scroll' }, table),
  );
  if (wrong.length > 0) {
    const lines = wrong
      .slice(0, 50)
      .map((i) => element('li', {}, `${texts[i]} (${labels[targets[i]]}, taken for ${labels[predicted[i]]})`));
    place.append(
      element(
        'details',
        {},
        element('summary', {}, `${plural(wrong.length, 'example')} taken for another class`),
        element('ul', {}, ...lines),
      ),
    );
  }
}
