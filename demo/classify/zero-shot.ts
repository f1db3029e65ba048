import type { App } from '../app';
import { find, staleNote } from '../dom';
import { linesOf } from '../lines';
import type { Choice } from '../models/model-store';
import { duration, plural } from '../numbers';
import { createRunButton } from '../run-button';
import { csvFile, jsonFile } from '../take-away/save-file';
import { createTakeAway } from '../take-away/take-away';
import { bars } from './bars';
import { zeroShotCode } from './zero-shot-code';

/** Classes given by their names alone; any natural language inference model decides. */
export function startZeroShot(panel: HTMLElement, app: App): void {
  const form = find<HTMLFormElement>(panel, '#zero-form');
  const texts = find<HTMLTextAreaElement>(form, '#zero-texts');
  const labels = find<HTMLTextAreaElement>(form, '#zero-labels');
  const template = find<HTMLInputElement>(form, '#zero-template');
  const multiLabel = find<HTMLInputElement>(form, '#zero-multi');
  // No model of this kind is small enough to come with the page.
  const picker = app.picker(find(panel, '#zero-model'), {
    use: 'zero-shot',
    first: 'MoritzLaurer/ModernBERT-base-zeroshot-v2.0',
    key: 'nli',
    onChange() {
      if (picker.choice() !== shownBy) outdate();
      takeAway.update();
    },
  });
  const places = { error: find(form, '.error'), status: find(form, '.status') };

  const showStale = staleNote(find(form, '#zero-results'), 'Press Classify for new results.');
  /** What the results are by. */
  let shownBy: Choice | undefined;
  const outdate = () => showStale(shownBy !== undefined);
  form.addEventListener('input', () => {
    outdate();
    takeAway.update();
  });

  const fields = { texts, labels, template };
  const readState = () => {
    for (const [key, field] of Object.entries(fields)) field.value = app.state.get(key) ?? field.defaultValue;
    multiLabel.checked = app.state.get('multi') === 'yes';
  };
  for (const [key, field] of Object.entries(fields)) {
    field.addEventListener('input', () => app.state.keep(key, field.value));
  }
  multiLabel.addEventListener('change', () => app.state.set('multi', multiLabel.checked ? 'yes' : undefined));
  app.state.onChange(() => {
    readState();
    outdate();
    takeAway.update();
  });
  readState();

  let shown: { text: string; labels: { label: string; score: number }[] }[] = [];
  const takeAway = createTakeAway(find(form, '.take-away'), app.state, {
    code: () =>
      zeroShotCode(picker.choice(), {
        texts: linesOf(texts.value),
        labels: linesOf(labels.value),
        template: template.value,
        multiLabel: multiLabel.checked,
      }),
    exports: () =>
      shown.length === 0
        ? []
        : [
            { label: 'JSON', name: 'labels.json', make: () => jsonFile(shown) },
            {
              label: 'CSV',
              name: 'labels.csv',
              make: () =>
                csvFile(
                  shown.flatMap(({ text, labels }) => labels.map(({ label, score }) => ({ text, label, score }))),
                ),
            },
          ],
    texts: ['texts', 'labels', 'template'],
  });

  createRunButton(form, find(form, '#zero-run'), places, async (signal, progress) => {
    const [subjects, names] = [linesOf(texts.value), linesOf(labels.value)];
    if (subjects.length === 0 || names.length === 0) throw new Error('Write at least one text and one label.');
    const choice = picker.choice();
    await picker.use(signal, async (model) => {
      const before = performance.now();
      const results = await model.zeroShot(subjects, names, {
        signal,
        truncate: true,
        hypothesisTemplate: template.value,
        multiLabel: multiLabel.checked,
        onProgress: ({ done, total }) => progress.show({ what: 'Comparing', done, total, unit: 'pair' }),
      });
      find(form, '#zero-results').replaceChildren(bars(subjects, results));
      shown = subjects.map((text, i) => ({ text, labels: results[i] }));
      shownBy = choice;
      takeAway.update();
      showStale(false);
      const pairs = plural(subjects.length * names.length, 'pair');
      places.status.textContent = `${pairs} of text and label in ${duration(performance.now() - before)}.`;
    });
  });
}
