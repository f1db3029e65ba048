import type { ProgressView } from '../progress-view';
import type { Window } from './windows';

/** Milliseconds between two looks at the clock. */
const TICK = 250;
/** Of a pass that takes longer than was foretold. */
const ALMOST = 0.97;

/** Tokens that are read: those of the passes before, and of the present one as much as its time should be over. */
export const tokensRead = (before: number, present: number, elapsed: number, perToken: number): number =>
  Math.round(before + Math.min(ALMOST * present, perToken > 0 ? elapsed / perToken : 0));

/**
 * Shows how far reading is. `time`: milliseconds that all windows should take; 0 if nobody knows. Within a pass only the clock tells, as the GPU says
 * nothing before its end.
 */
export function showReading(progress: ProgressView, windows: Window[], time: number) {
  const total = windows.reduce((sum, { tokens }) => sum + tokens, 0);
  let before = 0;
  let present = 0;
  let began = performance.now();
  const show = () => {
    if (time === 0 && windows.length === 1) return progress.show({ what: 'Reading' });
    const tokens = windows[present]?.tokens ?? 0;
    const done = tokensRead(before, tokens, performance.now() - began, time / total);
    progress.show({ what: 'Reading', done, total, unit: 'token' });
  };
  show();
  const timer = setInterval(show, TICK);
  return {
    passed(window: Window) {
      before += window.tokens;
      present++;
      began = performance.now();
    },
    stop: () => clearInterval(timer),
  };
}
