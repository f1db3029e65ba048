import { createEstimate, timeLeft } from '../src/time-left';
import { element } from './dom';
import { count, fileSize, integer, plural, tenths } from './numbers';

/** What runs, and how far it is. */
export interface ProgressStep {
  /** Such as `Embedding`. Another one begins another estimate. */
  what: string;
  done?: number;
  /** Undefined where nobody knows. */
  total?: number;
  /** Whether `total` is a guess. */
  isGuess?: boolean;
  /** `bytes`, or a noun in the singular such as `text`. Default: a share of 1, said in percent. */
  unit?: string;
}

/** The page's one way to show that something takes time. */
export interface ProgressView {
  show(step: ProgressStep): void;
  hide(): void;
}

/** Puts a bar into `place`, hidden until something is shown. `onCancel` makes a button; without it what is elsewhere cancels. */
export function createProgress(place: HTMLElement, onCancel?: () => void): ProgressView {
  const bar = element('progress');
  const text = element('p', { className: 'count' });
  const cancel = element('button', { type: 'button' }, 'Cancel');
  cancel.hidden = onCancel === undefined;
  if (onCancel) cancel.addEventListener('click', onCancel);
  const view = element('div', { className: 'progress', hidden: true }, bar, text, cancel);
  place.append(view);

  let what: string | undefined;
  let estimate = createEstimate();
  return {
    show(step) {
      const isOther = step.what !== what;
      if (isOther) {
        what = step.what;
        estimate = createEstimate();
        bar.ariaLabel = what;
        bar.removeAttribute('value');
      }
      const { done, total } = step;
      // It never goes back: a total may grow as more is known.
      if (done !== undefined && total) bar.value = Math.max(isOther ? 0 : bar.value, Math.min(1, done / total));
      text.textContent = progressText(step, done === undefined ? undefined : estimate(done, total));
      view.hidden = false;
    },
    hide() {
      what = undefined;
      view.hidden = true;
    },
  };
}

/** Such as `Embedding: 12 of 40 texts, 3 s left`. */
export function progressText(
  { what, done, total, unit, isGuess }: ProgressStep,
  secondsLeft: number | undefined,
): string {
  if (done === undefined || !(total || unit)) return `${what} …`;
  const left = secondsLeft ? `, ${timeLeft(secondsLeft, [integer, tenths])} left` : '';
  return `${what}: ${amount(done, total, unit, isGuess)}${left}`;
}

function amount(done: number, total: number | undefined, unit: string | undefined, isGuess = false): string {
  if (unit === undefined) return `${Math.floor((100 * done) / (total ?? 1))}%`;
  if (unit === 'bytes') return total ? `${fileSize(done)} of ${fileSize(total)}` : fileSize(done);
  return total === undefined
    ? plural(done, unit)
    : `${count(done)} of ${isGuess ? 'about ' : ''}${plural(total, unit)}`;
}
