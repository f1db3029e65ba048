import type { App } from '../app';
import { find } from '../dom';
import { createRunButton } from '../run-button';
import { bars } from './bars';
import { linesOf } from './lines';

/** No model of this kind is small enough to come with the page. */
const SUGGESTED = 'MoritzLaurer/ModernBERT-base-zeroshot-v2.0';

/** Classes given by their names alone; any natural language inference model decides. */
export function startZeroShot(panel: HTMLElement, app: App): void {
  const form = find<HTMLFormElement>(panel, '#zero-form');
  const texts = find<HTMLTextAreaElement>(form, '#zero-texts');
  const labels = find<HTMLTextAreaElement>(form, '#zero-labels');
  const place = find(panel, '#zero-model');
  const picker = app.picker(place, { builtIn: { name: SUGGESTED, source: SUGGESTED }, onChange: () => {} });
  // The picker's first choice is built in elsewhere.
  find(place, '.built-in-name').parentElement?.replaceChildren(`Suggested: ${SUGGESTED}`);
  const places = { error: find(form, '.error'), status: find(form, '.status') };
  createRunButton(form, find(form, '#zero-run'), places, async (signal) => {
    const [subjects, names] = [linesOf(texts.value), linesOf(labels.value)];
    if (subjects.length === 0 || names.length === 0) throw new Error('Write at least one text and one label.');
    await picker.use(signal, async (model) => {
      const results = await model.zeroShot(subjects, names, {
        signal,
        hypothesisTemplate: find<HTMLInputElement>(form, '#zero-template').value,
        multiLabel: find<HTMLInputElement>(form, '#zero-multi').checked,
      });
      find(form, '#zero-results').replaceChildren(bars(subjects, results));
      places.status.textContent = `Classified by ${picker.name()}.`;
    });
  });
}
