import type { App } from '../app';
import { element, showError } from '../dom';
import type { ModelPicker } from './model-picker';

/** A tab's part that asks two models the same: `demo/<tab>/compare-models.ts`, loaded when it is first wanted. */
export interface ComparisonModule {
  /** Puts a second picker into `intro` and the comparison into `work`; both are hidden with their places. */
  compareModels(places: { intro: HTMLElement; work: HTMLElement }, app: App, first: ModelPicker): void;
}

/** Puts the button “Compare models” after the picker in `place`. What it opens stands after the form of the panel. */
export function offerComparison(
  place: HTMLElement,
  app: App,
  picker: ModelPicker,
  load: () => Promise<ComparisonModule>,
): void {
  const intro = element('div', { hidden: true });
  const work = element('div', { className: 'comparison', hidden: true });
  const error = element('p', { className: 'error', role: 'alert', hidden: true });
  const button = element(
    'button',
    { type: 'button', className: 'compare-models', ariaExpanded: 'false' },
    'Compare models',
  );
  place.after(button, error, intro);
  place.closest('.panel')?.append(work);
  let started: Promise<void> | undefined;
  let isShown = false;

  async function show(wanted: boolean) {
    isShown = wanted;
    showError(error, undefined);
    app.state.set('compare', isShown ? 'yes' : undefined);
    button.ariaExpanded = String(isShown);
    intro.hidden = !isShown;
    work.hidden = !isShown;
    if (!isShown) return;
    started ??= load().then(({ compareModels }) => compareModels({ intro, work }, app, picker));
    try {
      await started;
    } catch (reason) {
      started = undefined; // the next click tries again
      showError(error, reason);
    }
  }
  button.addEventListener('click', () => void show(!isShown));
  if (app.state.get('compare') === 'yes') void show(true);
}
