// The frame in which two models answer the same: a second picker, a button, two columns. What is asked and how answers look is each tab's own.
import type { Model } from '../../src/index';
import type { App } from '../app';
import './compare-models.css';
import { element } from '../dom';
import { duration } from '../numbers';
import { createRunButton } from '../run-button';
import type { ModelPicker, PickerOptions } from './model-picker';
import { sameChoice } from './model-store';

/** What one of the two said. */
export interface Answer<T> {
  name: string;
  value: T;
  /** Milliseconds of the call, without loading. */
  ms: number;
}

export interface Comparison<T> {
  /** Of the second picker; its `key` and `onChange` are the frame's. */
  picker: Omit<PickerOptions, 'key' | 'onChange'>;
  /** What the button says. */
  label: string;
  /** Asks one model. What both must answer the same is read once, in `prepare`; `asked` tells one such question from another. */
  asked(): string;
  prepare(): (model: Model, signal: AbortSignal) => Promise<T>;
  /** The answers as elements. */
  show(first: Answer<T>, second: Answer<T>): HTMLElement[];
}

/** Fills the places. The models answer one after the other, so that their times can be compared. */
export function createComparison<T>(
  { intro, work }: { intro: HTMLElement; work: HTMLElement },
  app: App,
  first: ModelPicker,
  { picker: options, label, asked, prepare, show }: Comparison<T>,
): void {
  const place = element('div', { className: 'model-place' });
  intro.append(place);
  const button = element('button', { type: 'submit', className: 'primary' }, label);
  const error = element('p', { className: 'error', role: 'alert', hidden: true });
  const status = element('p', { className: 'status', role: 'status' });
  const results = element('div', { className: 'comparison-results' });
  const title = element('h3', {}, 'Two models, the same texts');
  const form = element(
    'form',
    { className: 'work' },
    title,
    element('div', { className: 'row' }, button),
    error,
    status,
    results,
  );
  work.append(form);
  const second = app.picker(place, { ...options, key: 'other', onChange: () => outdate() });

  let shown = '';
  const question = () =>
    [...[first, second].flatMap((picker) => [picker.name(), picker.choice().dtype ?? '']), asked()].join('\n');
  const outdate = () => results.classList.toggle('stale', shown !== '' && shown !== question());
  first.listen(outdate);
  work.closest('.panel')?.addEventListener('input', outdate);
  app.state.onChange(outdate);

  createRunButton(form, button, { error, status }, async (signal, progress) => {
    if (sameChoice(first.choice(), second.choice())) {
      throw new Error('Both are the same model. Change the second one, or its weights under “More models”.');
    }
    const ask = prepare();
    const before = question();
    const answers: Answer<T>[] = [];
    for (const picker of [first, second]) {
      const name = nameOf(picker);
      progress.show({ what: `Asking ${name}` });
      await picker.use(signal, async (model) => {
        const before = performance.now();
        const value = await ask(model, signal);
        answers.push({ name, value, ms: performance.now() - before });
      });
    }
    signal.throwIfAborted();
    const [one, other] = answers;
    results.replaceChildren(...show(one, other));
    shown = before;
    outdate();
    status.textContent = answers.map(({ name, ms }) => `${name}: ${duration(ms)}`).join(' · ');
  });
}

/** With the dtype, where one was chosen: the two may be the same model in two precisions. */
function nameOf(picker: ModelPicker): string {
  const { name, dtype } = picker.choice();
  return dtype && !name.endsWith(dtype) ? `${name}, ${dtype}` : name;
}
